"""The feasible set: which specs of a search space meet a budget, and what can be asked of it.

Everything is an array over the space's fields in their order, of length 1 along a field that
costs nothing: one cell then stands for as many points as that field has values.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridgen.grid import build_grid
from gridgen.space.budget import Budget, Limit, Verdict
from gridgen.space.choices import Params
from gridgen.space.quantities import QUANTITIES
from gridgen.space.spec_array import Family, Index, Mask, Table
from gridgen.space.words import described, titles
from gridgen.spec import GridSpec


class Miss(NamedTuple):
    """What comes nearest to a budget, in words, and every limit that it breaks.

    >>> broken = Verdict("parameters", cost=3369, limit=3000, within=False)
    >>> print(Miss("gridnet, 2 streams, 1+1 columns, F0 = 4", (broken,)))
    gridnet, 2 streams, 1+1 columns, F0 = 4: 3,369 parameters are more than 3,000 (1.12 times)
    """

    words: str
    broken: tuple[Verdict, ...]

    def __str__(self) -> str:
        return f"{self.words}: {'; '.join(verdict.fault for verdict in self.broken)}"


@dataclass(frozen=True, eq=False)
class Feasible:
    """What `feasible` found. A cell is a number: its place in the arrays laid flat.

    `reasons` says why a cell makes no grid, "" where it does; what the other arrays say of it
    then means nothing. `counts` are exact parameters, activations and MACs, `costs` those of the
    limited quantities that have a table, `looked` those of single cells for the others. `within`:
    whether a cell makes a grid that meets all limits. `broken` counts the valid points that break
    each limit; one may break several, but where there is no table, those that do are not counted.
    """

    family: Family
    budget: Budget
    reasons: Table
    counts: dict[str, Table]
    within: Mask
    costs: dict[str, Table] = field(default_factory=dict)
    looked: dict[str, dict[Index, int]] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)

    @property
    def points(self) -> int:
        """Points of the space."""
        return self.family.points

    def many(self, mask: Mask) -> int:
        """How many points the cells of a mask stand for."""
        return int(np.count_nonzero(mask)) * (self.points // mask.size)

    @property
    def feasible(self) -> int:
        """How many points meet the budget."""
        return self.many(self.within)

    @cached_property
    def valid(self) -> Mask:
        """Where there is a grid."""
        return np.broadcast_to((self.reasons == "").astype(bool), self.within.shape)

    def invalid(self) -> dict[str, int]:
        """Why points make no grid, and how many, the most frequent reason first."""
        each = self.points // self.reasons.size
        reasons = Counter(filter(None, self.reasons.flat))
        return {reason: many * each for reason, many in reasons.most_common()}

    def ordered(self, mask: Mask) -> NDArray[np.intp]:
        """The cells of a mask from fewest to most parameters."""
        cells = np.flatnonzero(np.broadcast_to(mask, self.within.shape))
        return cells[np.argsort(self.at("parameters", cells), kind="stable")]

    def spread(self, many: int) -> list[int]:
        """At most `many` feasible cells, from fewest to most parameters at equal steps."""
        cells = self.ordered(self.within)
        places = np.linspace(0, max(len(cells) - 1, 0), min(many, len(cells)))
        return [int(cells[place]) for place in places.round().astype(int)]

    def at(self, count: str, cells: Any) -> NDArray[Any]:
        """Parameters, activations or macs of cells."""
        table = np.broadcast_to(self.counts[count], self.within.shape)
        return table[np.unravel_index(cells, table.shape)]

    def params(self, cell: int) -> Params:
        """What a cell says of each field that varies."""
        return self.family.params(self._index(cell))

    def _index(self, cell: int) -> Index:
        return tuple(int(i) for i in np.unravel_index(cell, self.within.shape))

    def spec(self, cell: int) -> GridSpec:
        """The spec of a cell."""
        return self.family.spec_at(self._index(cell))

    @cached_property
    def titles(self) -> Table:
        """What each topology is called; two that differ are called differently."""
        return titles(self.family)

    def names(self) -> list[str]:
        """All topologies of the space, in alphabetical order."""
        return sorted({str(title) for title in self.titles.flat} - {""})

    def of_topology(self, title: str) -> Mask:
        """The feasible cells of a topology."""
        mask: Mask = self.within & (self.titles == title).astype(bool)
        return mask

    def memory(self, cell: int) -> dict[str, int]:
        """What a cell needs of each quantity that is limited and has no table, in bytes."""
        names = [name for name, _ in self.budget.limits() if QUANTITIES[name].over is None]
        grid = build_grid(self.spec(cell)) if names else None
        return {name: QUANTITIES[name].of(grid, self.budget) for name in names if grid is not None}

    def nearest(self) -> Miss | None:
        """What breaks its worst limit least; None where there is no limit, or no grid."""
        index = self._nearest()
        if index is None:
            return None
        spec = self.family.spec_at(index)
        verdicts = self.budget.verdict(build_grid(spec))
        broken = tuple(verdict for verdict in verdicts if not verdict.within)
        return Miss(described(spec, self.family.space), broken)

    def _nearest(self) -> Index | None:
        limits = {limit.quantity: limit for limit in self.budget.limits()}
        for quantity, looked in reversed(self.looked.items()):
            if looked:  # the rest breaks a limit that was decided before
                return min(looked, key=lambda index: limits[quantity].excess(looked[index]))
        return self._nearest_by_tables([limits[quantity] for quantity in self.costs])

    def _nearest_by_tables(self, limits: list[Limit]) -> Index | None:
        cells = np.flatnonzero(self.valid)
        if not (limits and cells.size):
            return None
        excess = [limit.excess(self._cost(limit.quantity, cells)) for limit in limits]
        return self._index(int(cells[int(np.stack(excess).max(axis=0).argmin())]))

    def _cost(self, quantity: str, cells: Any) -> NDArray[Any]:
        table = np.broadcast_to(self.costs[quantity], self.within.shape)
        return table[np.unravel_index(cells, table.shape)]
