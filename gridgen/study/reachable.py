"""What a search can find at all, known before it begins."""

from typing import NamedTuple

from gridgen.errors import SpecError
from gridgen.space import Choices, Feasible, Range, feasible
from gridgen.space.choices import size_of
from gridgen.study.study import Study

MOST_POINTS = 2_000_000
"""Counted in a second or two."""
MOST_GRIDS = 2_000
"""Points whose memory is looked at before a search."""


WITHOUT_MEMORY = {"training_memory": None, "inference_memory": None}


class Reachable(NamedTuple):
    """How many of a space's points meet the budget."""

    feasible: int
    points: int

    def few(self, wanted: int) -> bool:
        """Whether they are fewer than wanted, or less than one in twenty."""
        return self.feasible < max(wanted, self.points / 20) and self.feasible < self.points


def reachable(study: Study) -> Reachable | None:
    """How many points of the study's space meet its budget; None where that is too much to count.

    A range without steps, which only `total_dropout` can have, counts as one point. Errors:
    `SpecError` where no point does, with the one that comes nearest.
    """
    space = {field: _countable(choices) for field, choices in study.space.items()}
    points = size_of(space)
    if points is None or points > MOST_POINTS:
        return None
    limits = study.limits
    budget = limits if points <= MOST_GRIDS else limits.but(**WITHOUT_MEMORY)
    found = feasible(study.spec, space, budget)
    if found.feasible == 0:
        raise study.blame(_nothing(found))
    return Reachable(found.feasible, found.points) if budget == limits else None


def _nothing(found: Feasible) -> SpecError:
    nearest = found.nearest()
    if nearest is None:
        reason = next(iter(found.invalid()))
        return SpecError(f"none of {found.points:,} candidates makes a grid; {reason}", ("space",))
    fact = f"none of {found.points:,} candidates meets it; nearest is {nearest}"
    return SpecError(f"{fact}; loosen the limit, or widen space", ("budget",))


def _countable(choices: Choices) -> Choices:
    return (choices.low,) if isinstance(choices, Range) and choices.continuous else choices
