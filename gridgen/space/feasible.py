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

from gridgen.space.budget import Budget, Limit
from gridgen.space.choices import Params
from gridgen.space.family import Family, Index, Mask, Table
from gridgen.spec import GridSpec


class Miss(NamedTuple):
    """What comes nearest to a budget, and the limit that it breaks most.

    >>> spec = GridSpec.of(streams=2, columns="1+1", base_channels=4, classes=3)
    >>> print(Miss(spec, Limit("parameters", 3000), 3369))
    gridnet, 2 streams, 1+1 columns, F0 = 4: 3,369 parameters are more than 3,000 (1.12 times)
    """

    spec: GridSpec
    limit: Limit
    cost: int

    def __str__(self) -> str:
        times = f"{self.limit.excess(self.cost):,.2f} times"
        what = f"{self.spec.title}, {self.spec.shape}"
        return f"{what}: {self.limit.broken(self.cost)} ({times})"


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
        """What each topology is called."""
        return self.family.table(("topology",), lambda spec: spec.title)

    def names(self) -> list[str]:
        """All topologies of the space, in alphabetical order."""
        return sorted({str(title) for title in self.titles.flat})

    def of_topology(self, title: str) -> Mask:
        """The feasible cells of a topology."""
        mask: Mask = self.within & (self.titles == title).astype(bool)
        return mask

    def nearest(self) -> Miss | None:
        """What breaks its worst limit least; None where there is no limit, or no grid."""
        limits = {limit.quantity: limit for limit in self.budget.limits()}
        for quantity, looked in reversed(self.looked.items()):
            if looked:  # the rest breaks a limit that was decided before
                index = min(looked, key=lambda index: limits[quantity].excess(looked[index]))
                return Miss(self.family.spec_at(index), limits[quantity], looked[index])
        return self._nearest([limits[quantity] for quantity in self.costs])

    def _nearest(self, limits: list[Limit]) -> Miss | None:
        cells = np.flatnonzero(self.valid)
        if not (limits and cells.size):
            return None
        costs = [self._cost(limit.quantity, cells) for limit in limits]
        excess = np.stack([limit.excess(cost) for limit, cost in zip(limits, costs, strict=True)])
        place = int(excess.max(axis=0).argmin())
        worst = int(excess[:, place].argmax())
        return Miss(self.spec(int(cells[place])), limits[worst], int(costs[worst][place]))

    def _cost(self, quantity: str, cells: Any) -> NDArray[Any]:
        table = np.broadcast_to(self.costs[quantity], self.within.shape)
        return table[np.unravel_index(cells, table.shape)]
