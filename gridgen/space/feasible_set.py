"""The feasible set: which specs of a search space meet a budget, and what can be asked of it.

Everything is an array over the space's fields in their order, of length 1 along a field that
costs nothing: one entry then stands for as many points as that field has values.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridgen.arguments import checked, checked_fields
from gridgen.grid import build_grid
from gridgen.grid.tracing import Size
from gridgen.shown import Shown, ShownRows
from gridgen.space.budget import Budget, Limit, LimitVerdict
from gridgen.space.choices import Params, described
from gridgen.space.cost_tables import CostTables
from gridgen.space.networks import network_numbers
from gridgen.space.quantities import QUANTITIES
from gridgen.space.spec_array import Index, Mask, SpecArray, Table, titles
from gridgen.spec import GridSpec
from gridgen.text import number_text


class Miss(NamedTuple):
    """The spec that comes nearest to a budget, described, and every limit that it breaks.

    >>> broken = LimitVerdict("parameters", cost=3369, limit=3000, within=False)
    >>> print(Miss("gridnet, 2 streams, 1+1 columns, F0 = 4", (broken,)))
    gridnet, 2 streams, 1+1 columns, F0 = 4: 3,369 parameters are more than 3,000 (1.12 times)
    """

    words: str
    broken: tuple[LimitVerdict, ...]

    def __str__(self) -> str:
        return f"{self.words}: {'; '.join(verdict.broken for verdict in self.broken)}"


@checked_fields
@dataclass(frozen=True, eq=False, repr=False)
class Feasible(Shown):
    """The specs of a space, and which of them meet the budget.

    A point is a number: its place in an array of all specs laid flat. `costs` are those of the
    limited quantities that have a table, `cell_costs` those of single specs for the others.
    `within` marks the specs that make a grid and meet all limits. `broken` counts the valid points
    that break each limit; a point may break several, but those without a table are decided only
    where the others are met.
    """

    tables: CostTables
    budget: Budget
    within: Mask
    costs: dict[str, Table] = field(default_factory=dict)
    cell_costs: dict[str, dict[Index, int]] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)

    @property
    def specs(self) -> SpecArray:
        """The specs of the space."""
        return self.tables.specs

    @property
    def reasons(self) -> Table:
        """Why a spec makes no grid, "" where it does; it then has arbitrary costs."""
        return self.tables.reasons

    @property
    def counts(self) -> dict[str, Table]:
        """Exact parameters, activations and MACs."""
        return self.tables.counts

    @property
    def points(self) -> int:
        """Number of points of the space."""
        return self.specs.points

    @property
    def image(self) -> Size:
        """Size of the image that costs are counted for, before any size policy changes it."""
        return self.budget.asked(self.specs.spec.get("dimensions", 2))

    def rows(self) -> ShownRows:
        """How many specs meet the budget, as how many networks, and how many break each limit."""
        numbers = {"specs": self.points, "feasible": self.feasible}
        numbers["different networks"] = self.networks
        numbers |= {f"beyond {name}": points for name, points in self.broken.items()}
        told = [(what, number_text(points)) for what, points in numbers.items()]
        faults = self.invalid().items()
        return told + [("no grid", f"{number_text(points)}: {why}") for why, points in faults]

    @checked
    def many(self, mask: Mask) -> int:
        """Number of points in a mask."""
        return int(np.count_nonzero(mask)) * (self.points // mask.size)

    @property
    def feasible(self) -> int:
        """Number of points that meet the budget."""
        return self.many(self.within)

    @cached_property
    def networks(self) -> int:
        """Number of different networks among the points that meet the budget."""
        return self.different(self.within)

    @checked
    def different(self, mask: Mask) -> int:
        """Number of different networks among the valid points in a mask.

        Two points are one network where the fingerprints of their grids are equal.
        """
        numbers, mask = np.broadcast_arrays(self._networks, mask)
        # np.unique would hash, which takes several times as long.
        ordered = np.sort(numbers[mask])
        return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + bool(len(ordered))

    @cached_property
    def _networks(self) -> Table:
        return network_numbers(self.tables)

    @cached_property
    def valid(self) -> Mask:
        """A mask of the points that make a grid."""
        return np.broadcast_to((self.reasons == "").astype(bool), self.within.shape)

    def invalid(self) -> dict[str, int]:
        """Number of points for each reason why they make no grid, the most frequent first."""
        each = self.points // self.reasons.size
        reasons = Counter(filter(None, self.reasons.flat))
        return {reason: many * each for reason, many in reasons.most_common()}

    @checked
    def ends(self, mask: Mask) -> tuple[int, int] | None:
        """The points of fewest and of most parameters in a mask; None where it is empty."""
        points = self._points(mask)
        if not len(points):
            return None
        parameters = self.at("parameters", points)
        last = len(points) - 1 - int(parameters[::-1].argmax())
        return int(points[parameters.argmin()]), int(points[last])

    @checked
    def spread(self, many: int) -> list[int]:
        """At most `many` feasible points, from fewest to most parameters at equal steps.

        Points of one network are neighbours.
        """
        points = self._points(self.within)
        _, first, which = np.unique(
            self._entries(self._networks, points), return_index=True, return_inverse=True
        )
        # Networks of equal cost keep the order of the space on every machine.
        ordered = points[np.lexsort((first[which], self.at("parameters", points)))]
        places = np.linspace(0, max(len(points) - 1, 0), min(many, len(points)))
        return [int(ordered[place]) for place in places.round().astype(int)]

    @checked
    def same_network(self, one: int, other: int) -> bool:
        """Whether two points are one network."""
        numbers = self._entries(self._networks, [one, other])
        return bool(numbers[0] == numbers[1])

    def feasible_points(self) -> NDArray[np.intp]:
        """All points that meet the budget, in the order of the space."""
        return self._points(self.within)

    def _points(self, mask: Mask) -> NDArray[np.intp]:
        return np.flatnonzero(np.broadcast_to(mask, self.specs.shape))

    @checked
    def at(self, count: str, points: Any) -> NDArray[Any]:
        """Parameters, activations or macs of points."""
        return self._entries(self.counts[count], points)

    def _entries(self, table: Table, points: Any) -> NDArray[Any]:
        shape = self.specs.shape
        return np.broadcast_to(table, shape)[np.unravel_index(points, shape)]

    @checked
    def params(self, point: int) -> Params:
        """The values of the varying fields at a point."""
        return self.specs.params(self._index(point))

    def _index(self, point: int) -> Index:
        return tuple(int(i) for i in np.unravel_index(point, self.specs.shape))

    @checked
    def spec(self, point: int) -> GridSpec:
        """The spec of a point."""
        return self.specs.spec_at(self._index(point))

    @cached_property
    def titles(self) -> Table:
        """The title of each topology; different topologies have different titles."""
        return titles(self.specs)

    def names(self) -> list[str]:
        """All topologies of the space, in alphabetical order."""
        return sorted({str(title) for title in self.titles.flat} - {""})

    @checked
    def of_topology(self, title: str) -> Mask:
        """A mask of the feasible points of a topology."""
        mask: Mask = self.within & (self.titles == title).astype(bool)
        return mask

    @checked
    def memory(self, point: int) -> dict[str, int]:
        """Bytes that a point needs in each limited quantity that has no table."""
        names = [name for name, _ in other_limits(self.budget)]
        grid = build_grid(self.spec(point)) if names else None
        return {name: QUANTITIES[name].of(grid, self.budget) for name in names if grid is not None}

    def nearest(self) -> Miss | None:
        """The spec that breaks its worst limit least; None without limits or without any grid."""
        index = self._nearest()
        if index is None:
            return None
        spec = self.specs.spec_at(index)
        verdicts = self.budget.verdict(build_grid(spec))
        broken = tuple(verdict for verdict in verdicts if not verdict.within)
        return Miss(described(spec, self.specs.space), broken)

    def _nearest(self) -> Index | None:
        limits = {limit.quantity: limit for limit in self.budget.limits()}
        for quantity, cell_costs in reversed(self.cell_costs.items()):
            if cell_costs:  # all others break a limit that was decided before
                return min(cell_costs, key=lambda index: limits[quantity].excess(cell_costs[index]))
        return self._nearest_by_tables([limits[quantity] for quantity in self.costs])

    def _nearest_by_tables(self, limits: list[Limit]) -> Index | None:
        points = self._points(self.valid)
        if not (limits and points.size):
            return None
        costs = [self._entries(self.costs[limit.quantity], points) for limit in limits]
        excess = [limit.excess(cost) for limit, cost in zip(limits, costs, strict=True)]
        return self._index(int(points[int(np.stack(excess).max(axis=0).argmin())]))


def other_limits(budget: Budget) -> list[Limit]:
    """Limits on quantities without a table."""
    return [limit for limit in budget.limits() if QUANTITIES[limit.quantity].over is None]
