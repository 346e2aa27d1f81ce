"""The order of feature maps that needs least memory in evaluation.

Which maps are alive at once depends on the order in which they are computed, and within a sum on
which arrival comes first. The best order is found exactly where the grid has few enough sets of
maps that can be alive together, which a best-first search over those sets visits; otherwise the
better of the grid's own order and a greedy one is taken, and for grids of many maps the grid's own.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

from gridgen.analysis.sizes import default_size
from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.grid.tracing import trace
from gridgen.memory.map_costs import MapCost, MapCosts
from gridgen.program import Program, compile_program

# All published networks are decided within this number.
MOST_SETS = 2_000
"""Sets of maps that are visited before the search gives up."""
MOST_MAPS = 200
"""Grids of more maps keep their own order."""


@dataclass(frozen=True)
class MeasuredOrder:
    """Arrivals of each map in turn; the bytes that the maps need at most, for one image in fp32.

    `exact`: no order needs less.
    """

    arrivals: tuple[tuple[Connection, ...], ...]
    peak: int
    exact: bool


@lru_cache(maxsize=32)
def min_memory_order(grid: Grid) -> MeasuredOrder:
    """The order of least memory, at the smallest legal size that holds 400 x 400."""
    search = _Search(grid)
    own = search.own()
    if len(grid.maps) > MOST_MAPS:
        return own
    return search.exact(own) or min(own, search.greedy(), key=lambda order: order.peak)


@lru_cache(maxsize=32)
def evaluation_program(grid: Grid) -> Program:
    """The forward pass in evaluation, its maps in the order of least memory."""
    return compile_program(grid, min_memory_order(grid).arrivals, training=False)


def own_order(grid: Grid) -> MeasuredOrder:
    """The grid's own order: column by column, from the top stream down, lateral first."""
    return _Search(grid).own()


@dataclass(frozen=True, slots=True)
class _Move:
    """One map computed: how, how high memory rose; which maps are computed then, their bytes."""

    arrivals: tuple[Connection, ...]
    peak: int
    computed: int
    live: int


class _Search:
    """Sets of computed maps as bits, and what it takes to compute one more."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.bit = {target: 1 << number for number, target in enumerate(grid.maps)}
        traced = trace(grid, default_size(grid.spec))
        self.costs = MapCosts(grid, traced.shapes, self.bit)
        first = self.costs.sizes[grid.input]
        self.begin = _Move((), first, self.bit[grid.input], first)
        self.end = (1 << len(grid.maps)) - 1

    def own(self) -> MeasuredOrder:
        """The grid's own order, the arrivals of each map too."""
        moves = [self.begin]
        for target in self.grid.maps[1:]:
            moves.append(self._move(moves[-1], target, (self.costs.own(target),)))
        return _order(moves, exact=False)

    def exact(self, own: MeasuredOrder) -> MeasuredOrder | None:
        """Best first: the set whose way needed least so far, of these the fullest one.

        None where it would take more than `MOST_SETS`.
        """
        targets = self._targets()
        peaks, came = {self.begin.computed: self.begin.peak}, dict[int, tuple[_Move, _Move]]()
        queue, numbers = [(self.begin.peak, 0, 0, self.begin)], count(1)
        for _ in range(MOST_SETS):
            peak, _, _, last = heapq.heappop(queue)
            if last.computed == self.end:
                return _order(self._way(came, last), exact=True)
            if peak > peaks[last.computed]:
                continue
            for move in self._moves(last, targets):
                highest = max(peak, move.peak)
                # Ways that need more than the own order are dropped; `+ 1` keeps equal ones.
                if highest < peaks.get(move.computed, own.peak + 1):
                    peaks[move.computed] = highest
                    came[move.computed] = last, move
                    # Of equal peaks the fullest set comes first, so that an end is reached early.
                    fullest = -move.computed.bit_count()
                    heapq.heappush(queue, (highest, fullest, next(numbers), move))
        return None

    def greedy(self) -> MeasuredOrder:
        """The map whose computation needs least, of these the one that leaves least."""
        targets, moves = self._targets(), [self.begin]
        while moves[-1].computed != self.end:
            possible = self._moves(moves[-1], targets)
            moves.append(min(possible, key=lambda move: (move.peak, move.live)))
        return _order(moves, exact=False)

    def _way(self, came: dict[int, tuple[_Move, _Move]], last: _Move) -> list[_Move]:
        moves, computed = list[_Move](), last.computed
        while computed in came:
            before, move = came[computed]
            moves.append(move)
            computed = before.computed
        return [self.begin, *reversed(moves)]

    def _targets(self) -> list[tuple[FeatureMap, int, tuple[MapCost, ...]]]:
        """Every map but the input, the bits of what it is computed from, its orders of arrivals."""
        return [
            (
                target,
                self._bits(read for each in self.grid.into(target) for read in each.inputs),
                self.costs.orders(target),
            )
            for target in self.grid.maps[1:]
        ]

    def _moves(
        self, last: _Move, targets: Iterable[tuple[FeatureMap, int, tuple[MapCost, ...]]]
    ) -> list[_Move]:
        """All maps that can be computed next, each with the order of its arrivals that is best."""
        computed = last.computed
        return [
            self._move(last, target, orders)
            for target, sources, orders in targets
            if not self.bit[target] & computed and not sources & ~computed
        ]

    def _move(self, last: _Move, target: FeatureMap, orders: Sequence[MapCost]) -> _Move:
        after = last.computed | self.bit[target]
        risen = [order.replayed(last.live, after) for order in orders]
        best = min(range(len(orders)), key=lambda place: risen[place][0])
        peak, live = risen[best]
        return _Move(orders[best].arrivals, peak, after, live + self.costs.sizes[target])

    def _bits(self, maps: Iterable[FeatureMap]) -> int:
        bits = 0
        for target in maps:
            bits |= self.bit[target]
        return bits


def _order(moves: Sequence[_Move], exact: bool) -> MeasuredOrder:
    steps = tuple(move.arrivals for move in moves if move.arrivals)
    return MeasuredOrder(steps, max(move.peak for move in moves), exact)
