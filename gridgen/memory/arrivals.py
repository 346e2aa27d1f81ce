"""What it takes to compute one map from those that are there: in which order, and how high."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from math import prod

from gridgen.analysis.schedule import ends_in_convolution, join_at, reads
from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.grid.layers import Layers, Shape
from gridgen.grid.tracing import Trace
from gridgen.memory.layers import Recorder
from gridgen.memory.replay import Replay
from gridgen.memory.setting import Setting
from gridgen.memory.weights import FP32

MOST_ARRIVALS = 4
"""Arrivals of which all orders are tried."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One connection in an order of arrivals, in bytes.

    `peak`: added to memory at most while it is computed. `size`: of what arrives; `passes`: that
    is the source map itself. `alone`: it can be added to in place. `frees`: size and readers, as
    bits, of the maps that no later arrival here reads; `keeps`: of those among them that an
    arrival has passed, which are there until all have been joined.
    """

    peak: int
    size: int
    passes: bool
    alone: bool
    frees: tuple[tuple[int, int], ...]
    keeps: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """All that arrives at one map in an order, and the bytes that its own layers add at most."""

    connections: tuple[Connection, ...]
    arrivals: tuple[Arrival, ...]
    join: str
    layers: int

    def risen(self, live: int, after: int) -> tuple[int, int]:
        """How high memory rises from `live` bytes of maps, and how many of these are left.

        `after` are the maps computed by then, as bits: a map whose readers are all among them goes.
        """
        match self.join:
            case "sum":
                peak, live, held = self._summed(live, after)
            case _:
                peak, live, held = self._collected(live, after)
        return max(peak, live + held + self.layers), live

    def _summed(self, live: int, after: int) -> tuple[int, int, int]:
        """One after the other, each added to the sum so far."""
        peak, held = live, 0
        for place, arrival in enumerate(self.arrivals):
            peak = max(peak, live + held + arrival.peak)
            live -= _freed(arrival.frees, after)
            own = 0 if arrival.passes else arrival.size
            if place < 2:  # the sum of later ones is a tensor of its own
                held += _freed(arrival.keeps, after)
            if place == 0:
                held += own
                continue
            peak = max(peak, live + held + own + (0 if arrival.alone else arrival.size))
            held = arrival.size
        return peak, live, held

    def _collected(self, live: int, after: int) -> tuple[int, int, int]:
        """All of them, then what they become: where weighted, their shares and a stack of these."""
        peak, held = live, 0
        for arrival in self.arrivals:
            peak = max(peak, live + held + arrival.peak)
            live -= _freed(arrival.frees, after)
            held += _freed(arrival.keeps, after) + (0 if arrival.passes else arrival.size)
        joined = sum(arrival.size for arrival in self.arrivals)
        if self.join == "weighted":
            return max(peak, live + held + 2 * joined), live, self.arrivals[0].size
        return max(peak, live + held + joined), live, joined


def _freed(maps: tuple[tuple[int, int], ...], after: int) -> int:
    """Bytes of those maps whose readers are all computed."""
    return sum(size for size, readers in maps if not readers & ~after)


class Joints:
    """The orders of arrivals at every map of a grid."""

    def __init__(self, grid: Grid, traced: Trace, bit: dict[FeatureMap, int]) -> None:
        self.grid, self.shapes, self.joined = grid, traced.shapes, traced.joined
        self.sizes = {target: FP32 * prod(self.shapes[target]) for target in grid.maps}
        self.readers = dict.fromkeys(grid.maps, 0)
        for connection in grid:
            for read in reads(connection):
                self.readers[read] |= bit[connection.target]
        self.costs = {connection.name: self._cost(connection) for connection in grid}
        self.layers = {target: self._after(target) for target in grid.maps[1:]}

    def own(self, target: FeatureMap) -> Arrivals:
        """The grid's own order."""
        return self._arrivals(tuple(self.grid.into(target)))

    def orders(self, target: FeatureMap) -> tuple[Arrivals, ...]:
        """All orders that make the same; a concatenation has one alone."""
        into = tuple(self.grid.into(target))
        free = join_at(self.grid, target) == "sum" and len(into) <= MOST_ARRIVALS
        return tuple(map(self._arrivals, permutations(into) if free else [into]))

    def _arrivals(self, order: Sequence[Connection]) -> Arrivals:
        last = {read: place for place, each in enumerate(order) for read in reads(each)}
        arrivals, passed = [], set[FeatureMap]()
        for place, connection in enumerate(order):
            peak, size, passes = self.costs[connection.name]
            passed |= {connection.source} if passes else set()
            frees = [read for read, at in last.items() if at == place]
            keeps = [read for read in frees if read in passed]
            alone = ends_in_convolution(connection)
            pairs = self._pairs(frees), self._pairs(keeps)
            arrivals.append(Arrival(peak, size, passes, alone, *pairs))
        target = order[0].target
        join = join_at(self.grid, target)
        return Arrivals(tuple(order), tuple(arrivals), join, self.layers[target])

    def _pairs(self, maps: Sequence[FeatureMap]) -> tuple[tuple[int, int], ...]:
        """Size and readers of each."""
        return tuple((self.sizes[each], self.readers[each]) for each in maps)

    def _cost(self, connection: Connection) -> tuple[int, int, bool]:
        """Peak, size and whether it passes the map, beside the maps that it reads."""
        recorder = Recorder(Setting(), training=False)
        x, *seen = (recorder.given(self.shapes[read]) for read in reads(connection))
        branch = recorder.sequence(connection.unit, x, *seen)
        made = recorder.with_identity(connection, branch, x)
        return _risen(recorder), made.value.bytes, made.value.storage in recorder.tape.given

    def _after(self, target: FeatureMap) -> int:
        """What the layers after the fusion add at most."""
        return _layers_add(self.grid.fusion_layers(target), self.joined[target])


def _layers_add(layers: Layers, shape: Shape) -> int:
    recorder = Recorder(Setting(), training=False)
    recorder.sequence(layers, recorder.given(shape))
    return _risen(recorder)


def _risen(recorder: Recorder) -> int:
    """How much more than the maps that were given was there at most."""
    replay = Replay(recorder.tape)
    before = replay.live
    replay.forward(keeping=False)
    return replay.peak - before
