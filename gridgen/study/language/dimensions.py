"""The dimensions of a study's space: each a name, what it may be, and when it varies at all.

A point of the space has a value for every dimension whose conditions hold. Names are those of a
spec's fields, of a recipe's after `recipe.`, and `specs`.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

from gridgen.errors import SpecError, unknown
from gridgen.space import Range
from gridgen.space.choices import ChoiceLabel, FieldPath, Params, label, value_text
from gridgen.spec.facts import shown_value

RECIPE = "recipe."
SPECS = "specs"
MOST_COMBINATIONS = 1_000
"""Combinations of the fields that others depend on."""


def require_different(place: FieldPath, values: Iterable[Hashable]) -> None:
    """Check that a list at a place has nothing twice. Errors: `SpecError` at the second."""
    known = set[Hashable]()
    for index, value in enumerate(values):
        if value in known:
            raise SpecError(f"{value} is given twice; give it once", (*place, index))
        known.add(value)


@dataclass(frozen=True)
class Dimension:
    """A field that varies over a range, or over values that stand under labels.

    A label is the value itself where that is a word or a number. `when` has the labels that other
    dimensions must have. `place` are the keys under which it stands in the study.
    """

    name: str
    choices: Range | Mapping[ChoiceLabel, Any]
    when: Mapping[str, tuple[ChoiceLabel, ...]] = field(default_factory=dict)
    place: tuple[str, ...] = ()

    @classmethod
    def listed(cls, name: str, values: Iterable[Any], **others: Any) -> "Dimension":
        """A dimension of these values. Errors: `SpecError` for one that is given twice."""
        values = list(values)
        labels = list(map(label, values))
        require_different(others.get("place", ()), labels)
        return cls(name, dict(zip(labels, values, strict=True)), **others)

    @property
    def of_recipe(self) -> bool:
        """Whether it is a field of the recipe."""
        return self.name.startswith(RECIPE)

    @property
    def of_spec(self) -> bool:
        """Whether it is a field of the spec."""
        return not self.of_recipe and self.name != SPECS

    @property
    def size(self) -> int | None:
        """The number of its values; None for a range without steps."""
        if isinstance(self.choices, Range):
            return None if self.choices.continuous else self.choices.size
        return len(self.choices)

    def labels(self) -> tuple[ChoiceLabel, ...]:
        """All values, as a point has them; of a range that can be counted."""
        return self.choices.numbers() if isinstance(self.choices, Range) else (*self.choices,)

    def label_of(self, value: Any) -> ChoiceLabel:
        """The label of a value."""
        return value if isinstance(self.choices, Range) else self._labels[label(value)]

    @cached_property
    def _labels(self) -> dict[ChoiceLabel, ChoiceLabel]:
        assert not isinstance(self.choices, Range)
        return {label(value): name for name, value in self.choices.items()}

    def value(self, given: ChoiceLabel) -> Any:
        """What spec or recipe say where a point has this label, or a value of one's own."""
        return given if isinstance(self.choices, Range) else self.choices.get(label(given), given)

    def active(self, params: Params) -> bool:
        """Whether it varies where the dimensions before it are as in `params`."""
        return all(params.get(name, _ABSENT) in wanted for name, wanted in self.when.items())

    def key_of(self, given: ChoiceLabel) -> str | int:
        """Where a label stands among the choices."""
        return next((key for key, each in self.ends() if each == given), "low")

    def ends(self) -> list[tuple[str | int, ChoiceLabel]]:
        """The labels to check, each with its key: the ends of a range, every value of a list."""
        if isinstance(self.choices, Range):
            return [("low", self.choices.low), ("high", self.choices.high)]
        return list(enumerate(self.choices))


_ABSENT = object()


def combinations(dimensions: Iterable[Dimension]) -> Iterator[Params]:
    """Every combination of the labels of dimensions that can be counted, the last varying first."""
    listed = tuple(dimensions)
    for labels in product(*(each.labels() for each in listed)):
        yield dict(zip((each.name for each in listed), labels, strict=True))


@dataclass(frozen=True)
class SearchSpace(Sequence[Dimension]):
    """The dimensions of a space in their order, those that others depend on before those."""

    all: tuple[Dimension, ...]

    def __getitem__(self, index: Any) -> Any:
        return self.all[index]

    def __len__(self) -> int:
        return len(self.all)

    @cached_property
    def named(self) -> dict[str, Dimension]:
        """The dimensions by name."""
        return {each.name: each for each in self.all}

    def active(self, params: Params) -> Params:
        """`params` without the dimensions whose conditions do not hold."""
        kept: Params = {}
        for each in self.all:
            if each.name in params and each.active(kept):
                kept[each.name] = params[each.name]
        return kept

    def among(self, params: Params) -> tuple[Dimension, ...]:
        """The dimensions that a point has a value of."""
        return tuple(each for each in self.all if each.name in params)

    def first(self, **fixed: ChoiceLabel) -> Params:
        """The first value of every dimension that varies there; `fixed` ones as given."""
        point: Params = {}
        for each in self.all:
            if each.active(point):
                point[each.name] = fixed.get(each.name, each.ends()[0][1])
        return point

    def where_active(self, wanted: Dimension) -> Params:
        """A first point at which a dimension varies."""
        fixed: dict[str, ChoiceLabel] = {}
        waiting = [wanted]
        while waiting:
            for name, labels in waiting.pop().when.items():
                fixed.setdefault(name, labels[0])
                waiting.append(self.named[name])
        return self.first(**fixed)

    @cached_property
    def deciding(self) -> tuple[Dimension, ...]:
        """Those on which the conditions of others depend."""
        names = {name for each in self.all for name in each.when}
        return tuple(each for each in self.all if each.name in names)

    def require_order(self) -> None:
        """Check every condition. Errors: `SpecError` at its place in the study."""
        before: dict[str, Dimension] = {}
        for each in self.all:
            for name, wanted in each.when.items():
                place = (*each.place, "when", name)
                if name not in self.named:
                    raise SpecError(unknown("varying field", name, self.named), place)
                if name not in before:
                    fact = f"{name} stands below {each.name}, which depends on it"
                    raise SpecError(f"{fact}; put it above", place)
                _require_labels(before[name], wanted, place)
            before[each.name] = each
        combinations = prod(each.size or 1 for each in self.deciding)
        if combinations > MOST_COMBINATIONS:
            fact = f"conditions ask for {combinations:,} combinations of values"
            raise SpecError(f"{fact}, and {MOST_COMBINATIONS:,} are told apart at most", ("space",))

    @property
    def size(self) -> int | None:
        """An upper bound of the number of points; None where a range has no steps."""
        sizes = [each.size for each in self.all]
        return None if None in sizes else prod(size for size in sizes if size is not None)


def _require_labels(
    dimension: Dimension, wanted: Sequence[ChoiceLabel], place: tuple[str, ...]
) -> None:
    if isinstance(dimension.choices, Range):
        fact = f"{dimension.name} is a range, and a condition needs a list of values"
        raise SpecError(f"{fact}; write its values out", place)
    for each in wanted:
        if each not in dimension.choices:
            known = ", ".join(map(value_text, dimension.choices))
            raise SpecError(f"{shown_value(each)} is none of its values; they are {known}", place)
