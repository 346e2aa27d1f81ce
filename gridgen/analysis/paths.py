"""Paths through a grid: how many, how long, and what share of them passes where. Exact.

Section 3.1: the path along stream 0 is shorter than those through lower streams. A path has a
length in connections. Where an identity is added, it leads past the unit, as Veit et al. (2016)
count it for residual networks: a *way* takes, at each such connection of a path, the unit or its
identity, and has a length in units.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from gridgen.grid import Connection, FeatureMap, Grid

Lengths = dict[int, int]
"""How many there are of each length."""
Steps = Callable[[Connection], tuple[int, ...]]
"""The ways to pass a connection, each with what it adds to the length."""
Choose = Callable[[Iterable[int]], int]
"""`min` or `max`."""


def one_step(connection: Connection) -> tuple[int, ...]:
    """A connection counts one, whatever is on it."""
    return (1,)


def unit_steps(connection: Connection) -> tuple[int, ...]:
    """Through the unit, which counts one where it has layers, or along the identity."""
    unit = 1 if connection.unit else 0
    return (unit,) if connection.shortcut is None else (unit, 0)


def lateral_steps(connection: Connection) -> tuple[int, ...]:
    """A lateral unit counts one, all else nothing."""
    return (1 if connection.kind == "lateral" and connection.unit else 0,)


@dataclass(frozen=True)
class StreamDepth:
    """The paths whose lowest stream is `stream`, and how many paths visit it at all.

    `shortest` and `longest` are in connections; `least_units` is what the shortest way passes
    where identities lead past every unit that has one. None where no path has its lowest stream
    here.
    """

    stream: int
    visiting: int
    paths: int
    shortest: int | None
    longest: int | None
    least_units: int | None


@dataclass(frozen=True)
class Paths:
    """All paths from input to output.

    `lengths` are in connections, `ways` in units, and `by_laterals` says how many paths have how
    many lateral units. `through` says how many paths pass a connection, by name, and `at` how many
    a map. `depths` has an entry for each stream.
    """

    total: int
    by_laterals: Lengths
    lengths: Lengths
    ways: Lengths
    at: dict[FeatureMap, int]
    through: dict[str, int]
    depths: tuple[StreamDepth, ...]

    @property
    def laterals(self) -> float:
        """Lateral units of a path on average."""
        return sum(units * paths for units, paths in self.by_laterals.items()) / self.total

    @property
    def lowest(self) -> tuple[StreamDepth, ...]:
        """The depths that are some path's lowest stream, from above."""
        return tuple(depth for depth in self.depths if depth.paths)

    def as_json(self) -> dict[str, Any]:
        """Plain names and numbers; whole numbers of any size."""
        return {
            "paths": self.total,
            "ways": sum(self.ways.values()),
            "laterals": self.laterals,
            "lengths": {str(length): paths for length, paths in self.lengths.items()},
            "units_passed": {str(units): ways for units, ways in self.ways.items()},
            "maps": {feature_map.name: paths for feature_map, paths in self.at.items()},
            "connections": self.through,
            "streams": [asdict(depth) for depth in self.depths],
        }


def count_paths(grid: Grid) -> int:
    """Number of paths from input to output: one pass in topological order.

    The full grid of the paper has sum over d < N_S of C(d+s-1, d) C(d+u-1, d).
    """
    return _from_input(grid, _streams(grid))[grid.output]


def paths(grid: Grid) -> Paths:
    """How many paths there are, of which lengths, and through what they lead.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec.of(streams=5, columns="3+3", base_channels=16, classes=19)
    >>> found = paths(build_grid(spec))
    >>> found.total, found.lengths
    (371, {5: 1, 7: 9, 9: 36, 11: 100, 13: 225})
    >>> found.through["lateral_0_1"], found.depths[4].least_units
    (140, 8)
    """
    before, after = _from_input(grid, _streams(grid)), _to_output(grid)
    total = before[grid.output]
    through = {link.name: before[link.source] * after[link.target] for link in grid}
    return Paths(
        total=total,
        by_laterals=lengths(grid, lateral_steps),
        lengths=lengths(grid, one_step),
        ways=lengths(grid, unit_steps),
        at={feature_map: before[feature_map] * after[feature_map] for feature_map in grid.maps},
        through=through,
        depths=tuple(_depths(grid)),
    )


def lengths(grid: Grid, steps: Steps) -> Lengths:
    """How many ways from input to output have which length.

    One pass over polynomials whose coefficients count the ways, each written as one whole number:
    x is a power of two that no coefficient reaches.
    """
    bits = _polynomial(grid, steps, 0).bit_length()
    packed, found, length = _polynomial(grid, steps, bits), {}, 0
    while packed:
        if number := packed & ((1 << bits) - 1):
            found[length] = number
        packed, length = packed >> bits, length + 1
    return found


def _polynomial(grid: Grid, steps: Steps, bits: int) -> int:
    """The sum over all ways of x^length at x = 2^bits. Maps are let go once they are passed."""
    last = {connection.source: connection for connection in grid}
    ways = {grid.input: 1}
    for connection in grid:
        source, target = connection.source, connection.target
        passed = sum(ways[source] << bits * step for step in steps(connection))
        ways[target] = ways.get(target, 0) + passed
        if last[source] is connection:
            del ways[source]
    return ways[grid.output]


def _from_input(grid: Grid, streams: frozenset[int]) -> dict[FeatureMap, int]:
    """Paths from the input to each map that lead through these `streams` only."""
    found = {grid.input: 1}
    for target in grid.maps:
        if target != grid.input:
            found[target] = sum(found[source] for source in grid.dag.predecessors(target))
        if target.stream not in streams:
            found[target] = 0
    return found


def _to_output(grid: Grid) -> dict[FeatureMap, int]:
    """Paths from each map to the output."""
    found = {grid.output: 1}
    for source in reversed(grid.maps):
        if source != grid.output:
            found[source] = sum(found[target] for target in grid.dag.successors(source))
    return found


def _streams(grid: Grid) -> frozenset[int]:
    return frozenset(feature_map.stream for feature_map in grid.maps)


def _depths(grid: Grid) -> Iterator[StreamDepth]:
    """Stream by stream: paths within it and those above, less those within those above."""
    streams, above = _streams(grid), 0
    total = count_paths(grid)
    for lowest in sorted(streams):
        avoiding = _from_input(grid, streams - {lowest})[grid.output]
        upper = frozenset(stream for stream in streams if stream <= lowest)
        within = _from_input(grid, upper)[grid.output]
        ends = _ends(grid, lowest) if within > above else (None, None, None)
        yield StreamDepth(lowest, total - avoiding, within - above, *ends)
        above = within


def _ends(grid: Grid, lowest: int) -> tuple[int, int, int]:
    """Shortest, longest, and fewest units, of the paths whose lowest stream is `lowest`."""
    return (
        _extreme(grid, lowest, min, one_step),
        _extreme(grid, lowest, max, one_step),
        _extreme(grid, lowest, min, unit_steps),
    )


def _extreme(grid: Grid, lowest: int, choose: Choose, steps: Steps) -> int:
    """The extreme length, kept for each map apart for ways that have been down there or not."""
    best = {(grid.input, grid.input.stream == lowest): 0}
    for connection in grid:
        target, step = connection.target, choose(steps(connection))
        for been in (False, True):
            if target.stream <= lowest and (connection.source, been) in best:
                length = best[connection.source, been] + step
                place = target, been or target.stream == lowest
                best[place] = choose((best.get(place, length), length))
    return best[grid.output, True]


def shortest_path(grid: Grid) -> tuple[Connection, ...]:
    """The path of the fewest connections; of several, the one that keeps to the upper streams."""
    return _followed(grid, min, 1)


def longest_path(grid: Grid) -> tuple[Connection, ...]:
    """The path of the most connections; of several, the one that keeps to the lower streams."""
    return _followed(grid, max, -1)


def _followed(grid: Grid, choose: Choose, sign: int) -> tuple[Connection, ...]:
    """From the input, always to where what is left is the chosen length, and the next stream."""
    left = {grid.output: 0}
    for source in reversed(grid.maps):
        if source != grid.output:
            left[source] = 1 + choose(left[target] for target in grid.dag.successors(source))
    place, found = grid.input, []
    while place != grid.output:
        targets = grid.dag.successors(place)
        target = min(targets, key=lambda near: (sign * left[near], sign * near.stream, near))
        found.append(grid.dag.edges[place, target]["connection"])
        place = target
    return tuple(found)
