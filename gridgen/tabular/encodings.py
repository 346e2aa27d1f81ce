"""What a sampler sees of a sub-topology: its place in a list, or a switch for each connection."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from gridgen.errors import TopologyError
from gridgen.grid import Grid, build_grid, keep
from gridgen.tabular.table import SPEC, TopologyBenchmark


@dataclass(frozen=True)
class Encoding:
    """A space of Optuna's. `place` gives the topology of a point, None where it is no network;
    `point` a point of a topology.
    """

    space: Mapping[str, BaseDistribution]
    place: Callable[[Mapping[str, Any]], int | None]
    point: Callable[[int], dict[str, Any]]


def by_place(benchmark: TopologyBenchmark) -> Encoding:
    """The place in the list, the smallest first: what a study with `topology: every` gives."""
    space = {"topology": IntDistribution(0, len(benchmark) - 1)}
    return Encoding(space, lambda point: point["topology"], lambda place: {"topology": place})


def by_connections(benchmark: TopologyBenchmark) -> Encoding:
    """Whether each connection is kept; dead ends that such a choice leaves are dropped."""
    grid = build_grid(SPEC)
    names = [connection.name for connection in grid.connections]
    places = {frozenset(each.connections): place for place, each in enumerate(benchmark.values())}
    kept = list(places)

    @cache
    def place(chosen: frozenset[str]) -> int | None:
        return places.get(without_dead_ends(grid, chosen))

    return Encoding(
        {name: CategoricalDistribution([False, True]) for name in names},
        lambda point: place(frozenset(name for name in names if point[name])),
        lambda number: {name: name in kept[number] for name in names},
    )


def without_dead_ends(grid: Grid, chosen: frozenset[str]) -> frozenset[str]:
    """The connections among those chosen that lie on a path from input to output.

    >>> sorted(without_dead_ends(build_grid(SPEC), frozenset({"lateral_0_1", "sub_1_0"})))
    []
    """
    try:
        return frozenset(each.name for each in keep(grid, lambda each: each.name in chosen))
    except TopologyError:
        return frozenset()


ENCODINGS: dict[str, Callable[[TopologyBenchmark], Encoding]] = {
    "place": by_place,
    "connections": by_connections,
}
