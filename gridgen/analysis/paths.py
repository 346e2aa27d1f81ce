"""Paths through a grid: exact numbers, lengths, and shares that pass each map and connection.

Section 3.1: the path along stream 0 is shorter than those through lower streams. A path has a
length in connections. Where an identity is added, it leads past the unit, as Veit et al. (2016)
count it for residual networks: a *way* takes, at each such connection of a path, the unit or its
identity, and has a length in units.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from gridgen.arguments import checked, checked_fields
from gridgen.grid import Connection, FeatureMap, Grid, GridLike, as_grid
from gridgen.shown import Shown, ShownRows
from gridgen.text import number_text

Lengths = dict[int, int]
"""The number of paths or ways of each length."""
Steps = Callable[[Connection], tuple[int, ...]]
"""A function that gives the length which each way past a connection adds."""
Choose = Callable[[Iterable[int]], int]
"""`min` or `max`."""


def one_step(connection: Connection) -> tuple[int, ...]:
    """Count each connection as one, whatever is on it."""
    return (1,)


def unit_steps(connection: Connection) -> tuple[int, ...]:
    """Count one through a unit that has layers, and nothing along the identity."""
    unit = 1 if connection.unit else 0
    return (unit,) if connection.shortcut is None else (unit, 0)


def lateral_steps(connection: Connection) -> tuple[int, ...]:
    """Count each lateral unit as one, all else as nothing."""
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


@checked_fields
@dataclass(frozen=True, repr=False)
class Paths(Shown):
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
        """Mean number of lateral units of a path."""
        return sum(units * paths for units, paths in self.by_laterals.items()) / self.total

    @property
    def lowest(self) -> tuple[StreamDepth, ...]:
        """The streams that are the lowest of some path, from above."""
        return tuple(depth for depth in self.depths if depth.paths)

    def rows(self) -> ShownRows:
        """How many there are, and the shortest and longest."""
        return [
            ("paths", number_text(self.total)),
            ("connections of one", f"{min(self.lengths)} to {max(self.lengths)}"),
            ("lateral units of one", f"{self.laterals:.1f} on average"),
        ]

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
    """Number of paths from input to output, in one pass in topological order.

    The full grid of the paper has sum over d < N_S of C(d+s-1, d) C(d+u-1, d).
    """
    return _from_input(grid, _streams(grid))[grid.output]


@checked
def paths(grid: GridLike) -> Paths:
    """Count the paths by length, by lowest stream, and through each map and connection.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec(streams=5, columns="3+3", base_channels=16, classes=19)
    >>> found = paths(build_grid(spec))
    >>> found.total, found.lengths
    (371, {5: 1, 7: 9, 9: 36, 11: 100, 13: 225})
    >>> found.through["lateral_0_1"], found.depths[4].least_units
    (140, 8)
    """
    grid = as_grid(grid)
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
    """Count the ways from input to output by length.

    One pass over polynomials whose coefficients count the ways, each written as one whole number:
    x is a power of two that no coefficient reaches.
    """
    # At x = 1 the polynomial is the sum of its coefficients: none of them has more bits.
    bits = _polynomial(grid, steps, 0).bit_length()
    packed, found, length = _polynomial(grid, steps, bits), {}, 0
    while packed:
        if number := packed & ((1 << bits) - 1):
            found[length] = number
        packed, length = packed >> bits, length + 1
    return found


def _polynomial(grid: Grid, steps: Steps, bits: int) -> int:
    """The sum over all ways of x^length at x = 2^bits."""
    last = {connection.source: connection for connection in grid}
    ways = {grid.input: 1}
    for connection in grid:
        source, target = connection.source, connection.target
        passed = sum(ways[source] << bits * step for step in steps(connection))
        ways[target] = ways.get(target, 0) + passed
        # In deep grids these integers have thousands of digits, so each goes after its last use.
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
    """The paths of each lowest stream: those within it and above, less those strictly above."""
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
    """Shortest and longest length and fewest units of the paths whose lowest stream is `lowest`."""
    return (
        _extreme(grid, lowest, min, one_step),
        _extreme(grid, lowest, max, one_step),
        _extreme(grid, lowest, min, unit_steps),
    )


def _extreme(grid: Grid, lowest: int, choose: Choose, steps: Steps) -> int:
    """The extreme length of ways that visit the stream `lowest` and none below."""
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
    """The path that always goes on where the rest has the chosen length; `sign` breaks ties."""
    left = {grid.output: 0}
    for source in reversed(grid.maps):
        if source != grid.output:
            left[source] = 1 + choose(left[target] for target in grid.dag.successors(source))
    place, found = grid.input, []
    while place != grid.output:
        targets = grid.dag.successors(place)
        # The map itself decides last: ties must not follow the order in which a graph was filled.
        target = min(targets, key=lambda near: (sign * left[near], sign * near.stream, near))
        found.append(grid.dag.edges[place, target]["connection"])
        place = target
    return tuple(found)
