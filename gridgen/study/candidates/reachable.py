"""What a search can find at all: nothing, few networks, or more than it is to train."""

from typing import NamedTuple

from gridgen.errors import SpecError
from gridgen.space import Feasible
from gridgen.study.candidates.drawing import Drawing


class Reachable(NamedTuple):
    """Numbers of networks of a space that meet the budget, of all points, of different ones."""

    feasible: int
    points: int
    networks: int

    def few(self, wanted: int) -> bool:
        """True if fewer networks than wanted, or fewer points than one in twenty, meet it."""
        few = self.networks < wanted or self.feasible < self.points / 20
        return few and self.networks < self.points

    def __str__(self) -> str:
        different = f", {self.networks:,} different networks"
        told = f"{self.feasible:,} of {self.points:,} candidates meet the budget"
        return told + different * (self.networks < self.feasible)


def reachable(drawing: Drawing) -> Reachable | None:
    """Count the networks that meet the budget; None where no table of all can be made.

    Errors: `SpecError` if none meets it, with the one that comes nearest.
    """
    tables = [drawing.tables.get(number) for number in range(len(drawing.branches))]
    found = [table for table in tables if table is not None]
    if not found or len(found) < len(tables):
        return None
    if not any(table.feasible for table in found):
        raise drawing.study.blame(_nothing(found))
    if any(table.budget != drawing.study.limits for table in found):
        return None
    return Reachable(*(sum(each) for each in zip(*map(_numbers, found), strict=True)))


def _numbers(table: Feasible) -> tuple[int, int, int]:
    return table.feasible, table.points, table.networks


def _nothing(tables: list[Feasible]) -> SpecError:
    points = sum(table.points for table in tables)
    misses = [miss for table in tables if (miss := table.nearest()) is not None]
    if not misses:
        reason = next(reason for table in tables for reason in table.invalid())
        return SpecError(f"none of {points:,} candidates makes a network; {reason}", ("space",))
    nearest = min(misses, key=lambda miss: max(each.cost / each.limit for each in miss.broken))
    fact = f"none of {points:,} candidates meets it; nearest is {nearest}"
    return SpecError(f"{fact}; loosen the limit, or widen space", ("budget",))
