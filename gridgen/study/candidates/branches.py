"""A space as plain products: one branch for each combination of what conditions and specs decide.

Within a branch all fields vary freely, so that a table over them says at once which points meet
the budget.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from gridgen.progress import OnProgress, no_progress
from gridgen.space import Feasible, Range, feasible
from gridgen.space.choices import Params, Space
from gridgen.spec.network import merged
from gridgen.study.language.dimensions import SPECS, Dimension, combinations
from gridgen.study.language.study import Study


@dataclass(frozen=True)
class Branch:
    """A part of a study's space: the values that are fixed in it, and what varies freely."""

    study: Study
    fixed: Params
    free: tuple[Dimension, ...]

    @property
    def title(self) -> str:
        """The values that tell it from the other branches; "" for the only one."""
        return ", ".join(f"{name} {value}" for name, value in self.fixed.items())

    @property
    def of_spec(self) -> tuple[Dimension, ...]:
        """What varies freely in the network."""
        return tuple(each for each in self.free if each.of_spec)

    @property
    def of_recipe(self) -> tuple[Dimension, ...]:
        """What varies freely in the recipe."""
        return tuple(each for each in self.free if each.of_recipe)

    @property
    def networks(self) -> int | None:
        """Number of combinations of the network's fields; None where a range has no steps."""
        sizes = [each.size for each in self.of_spec]
        return None if None in sizes else prod(size for size in sizes if size is not None)

    @cached_property
    def shared(self) -> dict[str, Any]:
        """The fields of a spec that are fixed."""
        named = self.study.dimensions.named
        own = {n: named[n].value(v) for n, v in self.fixed.items() if named[n].of_spec}
        return merged(self.study.shared(self.fixed), own)

    def trains_as(self, params: Params) -> bool:
        """Whether what is fixed of the recipe is as in a point, where that says it."""
        named = self.study.dimensions.named
        own = {name: value for name, value in self.fixed.items() if named[name].of_recipe}
        return all(params.get(name, value) == value for name, value in own.items())

    @property
    def tabled(self) -> bool:
        """Whether one table can decide all of its networks."""
        return bool(self.of_spec) and self.study.match is None and "architecture" not in self.shared

    @property
    def space(self) -> Space:
        """The network's fields as `feasible` takes them."""
        return {each.name: _choices(each) for each in self.of_spec}

    def feasible(self, on_progress: OnProgress = no_progress, memory: bool = True) -> Feasible:
        """The networks that meet the budget, of a branch that is `tabled`.

        Without `memory`, those that meet all other limits. Errors: `SpecError`.
        """
        limits = self.study.limits
        if not memory:
            limits = limits.but(training_memory=None, inference_memory=None)
        return feasible(self.shared, self.space, limits, on_progress)

    def labels(self, values: Params) -> Params:
        """The point with the values that `Feasible.params` gives, the fixed ones among them."""
        own = {each.name: each.label_of(values[each.name]) for each in self.of_spec}
        return self.fixed | own


def branches(study: Study) -> tuple[Branch, ...]:
    """All branches of a study's space, in its order."""
    return tuple(_branches(study))


def _branches(study: Study) -> Iterator[Branch]:
    dimensions = study.dimensions
    deciding = [d for d in dimensions if d.name == SPECS or d in dimensions.deciding]
    seen = set()
    for values in combinations(deciding):
        fixed = dimensions.active(values)
        key = tuple(fixed.items())
        if key not in seen:
            seen.add(key)
            free = [d for d in dimensions if d not in deciding and d.active(fixed)]
            yield Branch(study, fixed, tuple(free))


def _choices(dimension: Dimension) -> Range | tuple[Any, ...]:
    if isinstance(dimension.choices, Range):
        return dimension.choices
    return tuple(dimension.choices.values())
