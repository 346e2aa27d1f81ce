"""What a sampler sees of a sub-topology: its number in a list, or a switch for each connection."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

from gridgen.errors import TopologyError
from gridgen.grid import Grid, build_grid, keep
from gridgen.space.choices import Params
from gridgen.study.language.dimensions import Dimension, SearchSpace
from gridgen.tabular.table import SPEC, TopologyBenchmark

MOST_KNOWN = 2**15
"""Sets of connections of which it is remembered what is left without dead ends."""


@dataclass(frozen=True)
class Encoding:
    """A search space. `number` gives the number in the table of a point's topology, None where the
    point is no network; `point` a point of a topology.
    """

    space: SearchSpace
    number: Callable[[Params], int | None]
    point: Callable[[int], Params]


def by_number(benchmark: TopologyBenchmark) -> Encoding:
    """The number in the list, those of fewest connections first: as `topology: every` has it."""
    space = SearchSpace((Dimension.listed("topology", benchmark),))
    numbers = {name: number for number, name in enumerate(benchmark)}
    names = list(benchmark)
    return Encoding(
        space,
        lambda point: numbers[str(point["topology"])],
        lambda number: {"topology": names[number]},
    )


def by_connections(benchmark: TopologyBenchmark) -> Encoding:
    """Whether each connection is kept; dead ends that such a choice leaves are dropped."""
    names = [connection.name for connection in _full().connections]
    kept = [frozenset(each.connections) for each in benchmark.values()]
    numbers = {connections: number for number, connections in enumerate(kept)}

    def number(point: Params) -> int | None:
        return numbers.get(without_dead_ends(frozenset(name for name in names if point[name])))

    return Encoding(
        SearchSpace(tuple(Dimension.listed(name, (False, True)) for name in names)),
        number,
        lambda number: {name: name in kept[number] for name in names},
    )


@lru_cache(MOST_KNOWN)
def without_dead_ends(chosen: frozenset[str]) -> frozenset[str]:
    """The connections among those chosen of the full grid that lie on a path from input to output.

    >>> sorted(without_dead_ends(frozenset({"lateral_0_1", "sub_1_0"})))
    []
    """
    try:
        return frozenset(each.name for each in keep(_full(), lambda each: each.name in chosen))
    except TopologyError:
        return frozenset()


@cache
def _full() -> Grid:
    return build_grid(SPEC)


ENCODINGS: dict[str, Callable[[TopologyBenchmark], Encoding]] = {
    "number": by_number,
    "connections": by_connections,
}
