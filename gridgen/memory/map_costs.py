"""The peak of memory while one map is computed from maps that are alive.

Summaries of the program's own operations, so that a search over orders need not replay them each
time: bytes between the moments at which a map that is read here may be freed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import prod

from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.grid.layers import Shape
from gridgen.memory.layers import Recorder
from gridgen.memory.recording import Recording
from gridgen.memory.replay import Replay
from gridgen.memory.setting import FP32, Setting
from gridgen.memory.tape import Release
from gridgen.program import map_operations
from gridgen.program.compiler import join_at, last_reads

# Orders grow as a factorial: 24 for 4 arrivals, 120 for 5.
MOST_ARRIVALS = 4
"""Arrivals of which all orders are tried."""


@dataclass(frozen=True, slots=True)
class MemorySegment:
    """Operations up to a moment at which a map may be freed, in bytes.

    `peak` and `added` are relative to what was live before. `freed` is the size of the map and
    `readers` the maps that read it, as bits; it is freed if all of them are computed by then.
    """

    peak: int
    added: int
    freed: int = 0
    readers: int = 0


@dataclass(frozen=True, slots=True)
class MapCost:
    """The memory of computing one map from its `arrivals` in that order."""

    arrivals: tuple[Connection, ...]
    segments: tuple[MemorySegment, ...]

    def replayed(self, live: int, computed: int) -> tuple[int, int]:
        """The peak that is reached from `live` bytes of maps, and the bytes of maps that are left.

        `computed` are the maps computed by then, this one among them, as bits.
        """
        peak, temporary = live, 0
        for segment in self.segments:
            peak = max(peak, live + temporary + segment.peak)
            temporary += segment.added
            if not segment.readers & ~computed:
                live -= segment.freed
        return peak, live


class MapCosts:
    """The costs of every map of a grid; `bit` is the bit of each in a set of maps."""

    def __init__(
        self, grid: Grid, shapes: Mapping[FeatureMap, Shape], bit: Mapping[FeatureMap, int]
    ) -> None:
        self.grid, self.shapes = grid, shapes
        self.sizes = {target: FP32 * prod(shapes[target]) for target in grid.maps}
        self.readers = dict.fromkeys(grid.maps, 0)
        for connection in grid:
            for read in connection.inputs:
                self.readers[read] |= bit[connection.target]
        self._recorded: dict[object, tuple[tuple[int, int, int | None], ...]] = {}

    def own(self, target: FeatureMap) -> MapCost:
        """The grid's own order of arrivals."""
        return self._cost(tuple(self.grid.into(target)))

    def orders(self, target: FeatureMap) -> tuple[MapCost, ...]:
        """All orders of arrivals with the same result; a concatenation has one alone."""
        into = tuple(self.grid.into(target))
        # The order of a sum changes its last bits; that of a concatenation, the weights.
        free = join_at(self.grid, target) == "sum" and len(into) <= MOST_ARRIVALS
        return tuple(map(self._cost, permutations(into) if free else [into]))

    def _cost(self, arrivals: Sequence[Connection]) -> MapCost:
        reads = tuple(dict.fromkeys(read for each in arrivals for read in each.inputs))
        target = arrivals[0].target
        # Maps of one stream are mostly computed alike: what differs is who else reads their inputs.
        alike = (
            tuple((each.unit, each.shortcut, *map(reads.index, each.inputs)) for each in arrivals),
            tuple(self.shapes[read] for read in reads),
            self.grid.info(target),
        )
        if alike not in self._recorded:
            self._recorded[alike] = tuple(self._record(arrivals, reads))
        segments = tuple(
            MemorySegment(peak, added)
            if freed is None
            else MemorySegment(peak, added, self.sizes[reads[freed]], self.readers[reads[freed]])
            for peak, added, freed in self._recorded[alike]
        )
        return MapCost(tuple(arrivals), segments)

    def _record(
        self, arrivals: Sequence[Connection], reads: Sequence[FeatureMap]
    ) -> Iterator[tuple[int, int, int | None]]:
        """Peak and added bytes of each segment, and the number of the input that may be freed
        at its end.
        """
        recording = Recording(Recorder(Setting(), training=False))
        tape = recording.recorder.tape
        inputs: dict[int, int] = {}
        for number, read in enumerate(reads):
            given = recording.values[read.name] = recording.recorder.given(self.shapes[read])
            inputs[given.value.storage] = number
        freed = last_reads([arrivals])
        recording.run(map_operations(self.grid, arrivals, freed, training=False))
        made = recording.values[arrivals[0].target.name]
        assert made is not None
        tape.drop(made.value)  # the search itself adds the size of the map
        replay = Replay(tape)
        before = replay.peak = replay.live
        for event in tape.events:
            if isinstance(event, Release) and event.storage in inputs:
                yield replay.peak - before, replay.live - before, inputs[event.storage]
                before = replay.peak = replay.live
            else:
                replay.run(event, keeping=False)
        yield replay.peak - before, replay.live - before, None
