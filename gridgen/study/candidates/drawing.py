"""Drawing candidates that meet the budget and were not trained yet, at random or in order."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridgen.errors import SpecError
from gridgen.progress import OnProgress, no_progress
from gridgen.space import Feasible, Range
from gridgen.space.choices import ChoiceLabel, Params
from gridgen.study.candidates.branches import Branch, branches
from gridgen.study.candidates.counting import CountedCandidate, counted
from gridgen.study.language.dimensions import RECIPE, Dimension, combinations
from gridgen.study.language.study import Study
from gridgen.study.trials import Candidate

MOST_POINTS = 2_000_000
"""Networks of a branch up to which a table of all is made; that takes a second or two."""
MOST_GRIDS = 2_000
"""Networks up to which their memory is computed too."""
IN_MEMORY = (
    *("batch", "crop", "precision", "optimizer", "ema", "recompute", "loss", "label_smoothing"),
)
"""What the memory of a step takes from a recipe; where it varies, a table cannot tell memory."""
TRIES = 200
"""Points that are drawn at random before all are gone through."""
MOST_LISTED = 100_000
"""Points of a space up to which all are gone through."""

IsKnown = Callable[[str], bool]
"""Whether a candidate of this key was trained, or is being trained."""


class PointVerdict(NamedTuple):
    """What is known of a point: its candidate's key, or why there is none to train."""

    key: str
    refusal: str


@dataclass
class Drawing:
    """The candidates of a study that are worth training.

    `refused` has the number of points that were asked for in vain, by reason.
    """

    study: Study
    on_progress: OnProgress = no_progress
    refused: Counter[str] = field(default_factory=Counter, init=False)
    measured: Callable[[Candidate], CountedCandidate] | None = field(default=None, init=False)
    """Adds costs that are measured, or refuses a candidate by them."""
    _verdicts: dict[tuple[object, ...], PointVerdict] = field(default_factory=dict, init=False)

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """The parts of the space."""
        return branches(self.study)

    @cached_property
    def tables(self) -> dict[int, Feasible]:
        """By number of the branch, its networks that meet the budget, where one table says so."""
        found = {}
        for number, branch in enumerate(self.branches):
            many = branch.networks
            if branch.tabled and many is not None and many <= MOST_POINTS:
                memory = many <= MOST_GRIDS and not self._memory_varies
                found[number] = branch.feasible(self.on_progress, memory=memory)
        return found

    @property
    def _memory_varies(self) -> bool:
        """Whether the recipes of candidates need different memory for one network."""
        of_recipe = (each for each in self.study.dimensions if each.of_recipe)
        return any(each.name.removeprefix(RECIPE).split(".")[0] in IN_MEMORY for each in of_recipe)

    @cached_property
    def _within(self) -> dict[int, NDArray[np.intp]]:
        return {number: table.feasible_points() for number, table in self.tables.items()}

    @cached_property
    def _weights(self) -> list[int]:
        """How many networks there are to draw in each branch; one stands for no known number."""
        sizes = (branch.networks or 1 for branch in self.branches)
        return [len(self._within.get(n, range(size))) for n, size in enumerate(sizes)]

    def candidate(self, params: Params, is_known: IsKnown) -> Candidate | None:
        """The candidate of a point that meets the budget and is new; None where it is not."""
        # Counting takes a millisecond, and a sampler asks for some points again and again.
        place = (*params.items(),)
        verdict = self._verdicts.get(place)
        if verdict is not None and (verdict.refusal or is_known(verdict.key)):
            return None
        try:
            candidate, refusal = counted(self.study, params)
            if self.measured is not None and not refusal and not is_known(candidate.key):
                candidate, refusal = self.measured(candidate)
        except SpecError as error:
            self._verdicts[place] = PointVerdict("", str(error).splitlines()[0])
        else:
            self._verdicts[place] = PointVerdict(candidate.key, refusal)
            if not refusal:
                return None if is_known(candidate.key) else candidate
        self.refused[_kind(self._verdicts[place].refusal)] += 1
        return None

    # Uniform, since what the sampler knew of the point it asked for is lost with that point.
    def draw(
        self, random: Random, is_known: IsKnown, like: Candidate | None = None
    ) -> Candidate | None:
        """A new candidate that meets the budget, every one with the same chance, or of those with
        the recipe of another; None where there is none, or none was found in many tries.
        """
        if not any(self._weights):
            return None
        recipe = {} if like is None else like.params
        for _ in range(TRIES):
            candidate = self.candidate(self._point(random, recipe), is_known)
            if candidate is not None:
                return candidate
        return self.next(is_known) if self.countable and like is None else None

    def next(self, is_known: IsKnown) -> Candidate | None:
        """The first new candidate in the order of the space; None where there is none."""
        found = (self.candidate(point, is_known) for point in self._points())
        return next((candidate for candidate in found if candidate is not None), None)

    @cached_property
    def countable(self) -> bool:
        """Whether all points can be gone through."""
        size = self.study.dimensions.size
        return size is not None and size <= MOST_LISTED

    def _point(self, random: Random, recipe: Params) -> Params:
        alike = [branch.trains_as(recipe) for branch in self.branches]
        weights = [many * as_asked for many, as_asked in zip(self._weights, alike, strict=True)]
        number = random.choices(range(len(self.branches)), weights)[0]
        branch = self.branches[number]
        within = self._within.get(number)
        if within is None:
            network = branch.fixed | {each.name: _drawn(each, random) for each in branch.of_spec}
        else:
            place = int(within[random.randrange(len(within))])
            network = branch.labels(self.tables[number].params(place))
        return self._ordered(
            network
            | {each.name: recipe.get(each.name, _drawn(each, random)) for each in branch.of_recipe}
        )

    def _points(self) -> Iterator[Params]:
        """All points in the order of the space, of a space that can be counted."""
        for number, branch in enumerate(self.branches):
            for network in self._networks(number, branch):
                for recipe in combinations(branch.of_recipe):
                    yield self._ordered(network | recipe)

    def _networks(self, number: int, branch: Branch) -> Iterator[Params]:
        within = self._within.get(number)
        if within is not None:
            for place in within.tolist():
                yield branch.labels(self.tables[number].params(place))
            return
        for own in combinations(branch.of_spec):
            yield branch.fixed | own

    def _ordered(self, params: Params) -> Params:
        return {each.name: params[each.name] for each in self.study.dimensions.among(params)}


def _drawn(dimension: Dimension, random: Random) -> ChoiceLabel:
    choices = dimension.choices
    if not isinstance(choices, Range):
        return random.choice(list(choices))
    if not choices.continuous and not choices.log:
        return random.choice(choices.numbers())
    low, high = np.log([choices.low, choices.high]) if choices.log else (choices.low, choices.high)
    drawn = random.uniform(float(low), float(high))
    value = float(np.exp(drawn)) if choices.log else drawn
    return min(max(round(value), int(choices.low)), int(choices.high)) if choices.whole else value


def _kind(refusal: str) -> str:
    """A refusal without the numbers of its candidate.

    >>> _kind("13,181,097 parameters are more than 10,000,000; 9 MACs are more than 8")
    'parameters are more than 10,000,000; MACs are more than 8'
    """
    told = refusal.partition(": F0 =")[0]
    return re.sub(r"(^|; )[\d,]+ ", r"\1", told)
