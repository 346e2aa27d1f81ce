"""The order of feature maps that needs least memory in evaluation.

Which maps are there at once depends on the order in which they are computed, and within a sum on
which arrival comes first. The best order is found exactly where the grid has few enough sets of
maps that can be there together, which a best-first search over those sets visits; otherwise the
better of the grid's own order and a greedy one is taken.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from math import prod

from gridgen.analysis.memory.layers import Recorder
from gridgen.analysis.memory.replay import Replay
from gridgen.analysis.memory.setting import Setting
from gridgen.analysis.memory.weights import FP32
from gridgen.analysis.schedule import Step, ends_in_convolution, reads, schedule
from gridgen.analysis.sizes import PAPER_SIZE, larger_size
from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.grid.trace import trace

MOST_SETS = 2_000
"""Sets of maps that are visited before the search gives up."""
MOST_ARRIVALS = 4
"""Arrivals of which all orders are tried."""


def lean(grid: Grid) -> tuple[Step, ...]:
    """The steps of `grid` in the order of least memory."""
    return schedule(grid, leanest(grid).steps)


@dataclass(frozen=True)
class Order:
    """Arrivals of each map in turn; the bytes that the maps need at most, for one image in fp32.

    `exact`: no order needs less.
    """

    steps: tuple[tuple[Connection, ...], ...]
    peak: int
    exact: bool


def leanest(grid: Grid) -> Order:
    """The order of least memory, at the smallest legal size that holds 400 x 400."""
    return _Search(grid).best()


def own_order(grid: Grid) -> Order:
    """The grid's own order: column by column, from the top stream down, lateral first."""
    return _Search(grid).own()


@dataclass(frozen=True, slots=True)
class _Arrival:
    """One connection in an order of arrivals: what it adds to memory at most and in the end,
    whether it can be added to in place, and what it frees: size and readers of each map.
    """

    peak: int
    net: int
    alone: bool
    frees: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """An order of arrivals at one map."""

    connections: tuple[Connection, ...]
    arrivals: tuple[_Arrival, ...]


@dataclass(frozen=True, slots=True)
class _Move:
    """One map computed: how, how high memory rose, and what is computed then."""

    arrivals: tuple[Connection, ...]
    peak: int
    computed: int


class _Search:
    """Sets of computed maps as bits, and what it takes to compute one more."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.shapes = trace(grid, larger_size(grid.spec, PAPER_SIZE)).shapes
        self.bit = {target: 1 << number for number, target in enumerate(grid.maps)}
        self.sizes = {target: FP32 * prod(self.shapes[target]) for target in grid.maps}
        self.into = {target: tuple(grid.into(target)) for target in grid.maps}
        self.joins = {target: grid.fusion_of(target).join for target in grid.maps}
        self.sources = {
            target: self._bits(read for c in self.into[target] for read in reads(c))
            for target in grid.maps
        }
        self.readers = {
            read: self._bits(t for t in grid.maps if self.bit[read] & self.sources[t])
            for read in grid.maps
        }
        self.begin = self.bit[grid.input]
        self.end = self._bits(grid.maps)

    def best(self) -> Order:
        """Exact where that can be found; never worse than the grid's own order."""
        own = self.own()
        return self._exact(own) or min(own, self._greedy(), key=lambda order: order.peak)

    def own(self) -> Order:
        """The grid's own order, the arrivals of each map too."""
        moves, computed = [], self.begin
        for target in self.grid.maps[1:]:
            own = (self._arrivals(self.into[target]),)
            moves.append(self._move(computed, target, self._live(computed), own))
            computed = moves[-1].computed
        return self._order(moves, exact=False)

    def _exact(self, own: Order) -> Order | None:
        """Best first: the set whose way needed least so far, of these the fullest one."""
        peaks, came = {self.begin: 0}, dict[int, tuple[int, _Move]]()
        queue = [(0, 0, self.begin)]
        for _ in range(MOST_SETS):
            peak, _, computed = heapq.heappop(queue)
            if computed == self.end:
                return self._order(self._way(came), exact=True)
            if peak > peaks[computed]:
                continue
            for move in self._moves(computed):
                highest = max(peak, move.peak)
                if highest < peaks.get(move.computed, own.peak + 1):
                    peaks[move.computed] = highest
                    came[move.computed] = computed, move
                    heapq.heappush(queue, (highest, -move.computed.bit_count(), move.computed))
        return None

    def _greedy(self) -> Order:
        """The map whose computation needs least, of these the one that leaves least."""
        moves, computed = list[_Move](), self.begin
        while computed != self.end:
            moves.append(min(self._moves(computed), key=lambda m: (m.peak, self._live(m.computed))))
            computed = moves[-1].computed
        return self._order(moves, exact=False)

    def _way(self, came: dict[int, tuple[int, _Move]]) -> list[_Move]:
        moves, computed = list[_Move](), self.end
        while computed != self.begin:
            computed, move = came[computed]
            moves.append(move)
        return moves[::-1]

    def _order(self, moves: Sequence[_Move], exact: bool) -> Order:
        peak = max((move.peak for move in moves), default=0)
        return Order(tuple(move.arrivals for move in moves), peak, exact)

    def _moves(self, computed: int) -> list[_Move]:
        """All maps that can be computed next, each with the order of its arrivals that is best."""
        live = self._live(computed)
        return [
            self._move(computed, target, live, self._orders[target])
            for target in self.grid.maps
            if not self.bit[target] & computed and self.sources[target] & ~computed == 0
        ]

    def _move(
        self, computed: int, target: FeatureMap, live: int, orders: Sequence[_Arrivals]
    ) -> _Move:
        after = computed | self.bit[target]
        peaks = [self._peak(target, order.arrivals, live, after) for order in orders]
        lowest = min(peaks)
        return _Move(orders[peaks.index(lowest)].connections, lowest, after)

    def _peak(self, target: FeatureMap, arrivals: Sequence[_Arrival], live: int, after: int) -> int:
        """How high memory rises while these arrive, `live` bytes of maps being there before."""
        peak, held, summed = live, 0, self.joins[target] == "sum"
        for arrival in arrivals:
            peak = max(peak, live + held + arrival.peak)
            live -= sum(size for size, readers in arrival.frees if not readers & ~after)
            if summed and held:
                peak = max(peak, live + held + arrival.net + (0 if arrival.alone else arrival.net))
            else:
                held += arrival.net
        if not summed:  # a stack or concatenation, beside what it is made of
            peak = max(peak, live + 2 * held)
        return max(peak, live + held + self._layers[target])

    def _live(self, computed: int) -> int:
        """Bytes of the maps that are there: computed, and still to be read."""
        return sum(
            size
            for target, size in self.sizes.items()
            if self.bit[target] & computed
            and (target == self.grid.output or self.readers[target] & ~computed)
        )

    @cached_property
    def _orders(self) -> dict[FeatureMap, tuple[_Arrivals, ...]]:
        """Orders of each map's arrivals that make the same; a concatenation has one alone."""
        return {
            target: tuple(
                self._arrivals(order)
                for order in (
                    permutations(into)
                    if self.joins[target] == "sum" and len(into) <= MOST_ARRIVALS
                    else [into]
                )
            )
            for target, into in self.into.items()
            if into
        }

    def _arrivals(self, order: tuple[Connection, ...]) -> _Arrivals:
        last = {read: place for place, each in enumerate(order) for read in reads(each)}
        arrivals = []
        for place, connection in enumerate(order):
            peak, net = self._rises[connection.name]
            frees = tuple(
                (self.sizes[read], self.readers[read]) for read, at in last.items() if at == place
            )
            arrivals.append(_Arrival(peak, net, ends_in_convolution(connection), frees))
        return _Arrivals(order, tuple(arrivals))

    @cached_property
    def _rises(self) -> dict[str, tuple[int, int]]:
        """What each connection adds to memory: at most, and in the end."""
        return {connection.name: self._rise(connection) for connection in self.grid}

    def _rise(self, connection: Connection) -> tuple[int, int]:
        recorder = Recorder(Setting(), training=False)
        x, *seen = (recorder.given(self.shapes[read]) for read in reads(connection))
        branch = recorder.sequence(connection.unit, x, *seen)
        made = recorder.with_identity(connection, branch, x)
        passed = made.value.storage in recorder.tape.given
        return _risen(recorder), 0 if passed else made.value.bytes

    @cached_property
    def _layers(self) -> dict[FeatureMap, int]:
        """What the layers after each fusion add at most."""
        return {target: self._after(target) for target in self.grid.maps[1:]}

    def _after(self, target: FeatureMap) -> int:
        recorder = Recorder(Setting(), training=False)
        joined = recorder.given((self.grid.joined(target), *self.shapes[target][1:]))
        recorder.sequence(self.grid.fusion_layers(target), joined)
        return _risen(recorder)

    def _bits(self, maps: Iterable[FeatureMap]) -> int:
        bits = 0
        for target in maps:
            bits |= self.bit[target]
        return bits


def _risen(recorder: Recorder) -> int:
    """How much more than the maps that were given was there at most."""
    replay = Replay(recorder.tape)
    before = replay.live
    replay.forward(keeping=False)
    return int(replay.peak - before)
