"""Census of a grid: how many connections enter each stream, how many maps join how many of them.

All that parameters, activations and MACs need to know of a grid's shape. Knows no widths.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from gridgen.grid import FeatureMap, Grid, build_grid
from gridgen.grid.units import Kind
from gridgen.spec import CustomTopology, GridSpec

STRUCTURE = ("streams", "columns", "topology")
"""Fields of a spec that say which connections its grid has; no others do."""


class Entering(NamedTuple):
    """Connections of a kind that lead to a stream."""

    kind: Kind
    stream: int


class Joining(NamedTuple):
    """Maps of a stream at which so many connections arrive."""

    stream: int
    arrivals: int


class Link(NamedTuple):
    """A connection without its layers."""

    kind: Kind
    source: FeatureMap
    target: FeatureMap


@dataclass(frozen=True)
class Census:
    """Counts of what a grid has, and its `links` in the order in which they are computed.

    `entries` are the streams that have a map in column 0; image sides are multiples of `multiple`.
    """

    connections: Counter[Entering]
    maps: Counter[Joining]
    entries: frozenset[int]
    links: tuple[Link, ...]
    input: FeatureMap
    output: FeatureMap
    multiple: int


def census(grid: Grid) -> Census:
    """Count the connections and maps of `grid`.

    >>> spec = GridSpec.of(streams=3, columns="2+2", base_channels=1, classes=1)
    >>> counted = census(build_grid(spec))
    >>> counted.connections[Entering("subsampling", 1)], counted.maps[Joining(0, 2)]
    (2, 2)
    """
    links = tuple(Link(arrival.kind, arrival.source, arrival.target) for arrival in grid)
    arrivals = Counter(link.target for link in links)
    return Census(
        connections=Counter(Entering(link.kind, link.target.stream) for link in links),
        maps=Counter(Joining(target.stream, arrivals[target]) for target in grid.maps),
        entries=frozenset(target.stream for target in grid.maps if target.column == 0),
        links=links,
        input=grid.input,
        output=grid.output,
        multiple=grid.spec.multiple,
    )


def census_of(spec: GridSpec) -> Census:
    """The census of the grid that `spec` describes, of one channel, built once for each structure.

    Errors: as `build_grid`.
    """
    topology: Hashable = spec.topology
    if isinstance(spec.topology, CustomTopology):
        topology = spec.topology.keep, spec.topology.drop
    return _census(spec.streams, spec.columns, topology)


@lru_cache(1 << 10)
def _census(streams: int, columns: tuple[str, ...], topology: Hashable) -> Census:
    kept = topology
    if isinstance(topology, tuple):
        kept = CustomTopology.of(keep=topology[0], drop=topology[1])
    spec = GridSpec.of(streams=streams, columns=columns, topology=kept, base_channels=1, classes=1)
    return census(build_grid(spec))
