"""Removing connections: those that a topology keeps, and of these what lies on a path."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from gridgen.errors import GridError, TopologyError, unknown
from gridgen.grid.grid import Connection, FeatureMap, Grid
from gridgen.grid.topologies import TOPOLOGIES
from gridgen.grid.validity import require_auxiliary_maps, require_whole
from gridgen.spec import CustomTopology, GridSpec

PLACE = re.compile(r"([a-z]+)_(\d+)_(\d+)")
"""Kind, stream and column of a connection that the paper's grid has."""


def subgraph(grid: Grid, wanted: Callable[[Connection], bool]) -> Grid:
    """What `keep` gives for a grid."""
    kept = keep_wanted(grid, wanted)
    # Nothing was removed: the spec that names no topology, or its own, still says so.
    if len(kept.dag.edges) == len(grid.dag.edges):
        return kept
    names = tuple(connection.name for connection in kept)
    custom = CustomTopology(keep=names) if names else CustomTopology(drop=("*",))
    return replace(kept, spec=grid.spec.model_copy(update={"topology": custom}))


def keep_wanted(grid: Grid, wanted: Callable[[Connection], bool]) -> Grid:
    """The subgraph of the `wanted` connections; the spec is left to the caller.

    Forward *and* backward reachability: a map that the input reaches but that does not reach the
    output would hold units that no gradient trains.
    """
    import networkx as nx  # here, since commands that build no grid start without it

    dag: nx.DiGraph[FeatureMap] = nx.DiGraph()
    dag.add_nodes_from(grid.dag.nodes(data=True))
    dag.add_edges_from(edge for edge in grid.dag.edges(data=True) if wanted(edge[2]["connection"]))
    # Dead ends of the full grid that are not wanted now were not asked for either.
    kept = keep_alive(replace(grid, dag=dag, dead_ends=tuple(filter(wanted, grid.dead_ends))))
    try:
        require_whole(kept, grid)
        require_auxiliary_maps(kept)
    except GridError as error:
        raise TopologyError(str(error), ("topology",)) from error
    return replace(kept, unpruned=grid.unpruned or grid)


def keep_alive(grid: Grid) -> Grid:
    """The grid without what lies on no path from input to output, which becomes its dead ends."""
    import networkx as nx  # here, since commands that build no grid start without it

    dag = grid.dag
    alive = nx.descendants(dag, grid.input) | {grid.input}
    alive &= nx.ancestors(dag, grid.output) | {grid.output}
    if grid.output not in alive or grid.input not in alive:
        fact = "no path from input to output is left; keep one along the streams"
        raise TopologyError(fact, ("topology",))
    dead = [
        edge["connection"]
        for source, target, edge in dag.edges(data=True)
        if source not in alive or target not in alive
    ]
    if len(alive) < len(dag):
        dag = nx.DiGraph(dag.subgraph(alive))
    sides = tuple(side for side in grid.sides if side.target in alive)
    return replace(grid, dag=nx.freeze(dag), dead_ends=(*grid.dead_ends, *dead), sides=sides)


def pruned(grid: Grid, topology: str | CustomTopology) -> Grid:
    """What `prune` gives for a grid."""
    full = grid.full
    kept = keep_wanted(full, wanted_by(topology, full))
    return replace(kept, spec=full.spec.but(topology=topology))


def removed(grid: Grid) -> tuple[Connection, ...]:
    """The connections that pruning took from the full grid."""
    kept = {connection.name for connection in grid}
    return tuple(connection for connection in grid.full if connection.name not in kept)


def wanted_by(topology: str | CustomTopology, grid: Grid) -> Callable[[Connection], bool]:
    """Which connections of a full grid a topology keeps. Errors: `TopologyError`, as `prune`."""
    if isinstance(topology, CustomTopology):
        return _custom(grid, topology)
    if topology not in TOPOLOGIES:
        raise TopologyError(unknown("topology", topology, TOPOLOGIES), ("topology",))
    spec = grid.spec
    if not isinstance(spec, GridSpec):
        fact = f"{topology} is a topology of the paper's grid; {spec.title} is a network of its own"
        raise TopologyError(fact, ("topology",))
    predicate = TOPOLOGIES[topology]
    return lambda connection: predicate(connection, spec)


def _patterns(names: Sequence[str]) -> list[str]:
    """Patterns that match some of the connections: all of a kind, of a stream, of a column."""
    parts = [name.split("_") for name in names if name.count("_") == 2]
    found = {f"{kind}_{s}_*" for kind, s, _ in parts} | {f"{kind}_*_{c}" for kind, _, c in parts}
    return sorted(found | {f"{kind}_*" for kind, _, _ in parts})


def _unknown(pattern: str, names: Sequence[str]) -> str:
    """What is wrong with a name or pattern that no connection has."""
    if set(pattern) & set("*?["):
        return unknown("connection", pattern, _patterns(names))
    kind = pattern.partition("_")[0]
    places = [found for name in names if (found := PLACE.fullmatch(name)) and found[1] == kind]
    asked = PLACE.fullmatch(pattern)
    streams, columns = (sorted({int(each[part]) for each in places}) for part in (2, 3))
    if not places or not asked or (int(asked[2]) in streams and int(asked[3]) in columns):
        return unknown("connection", pattern, names)
    where = f"streams {_listed(streams)}, columns {_listed(columns)}"
    return f"unknown connection {pattern!r}; those of {kind} lead to {where}"


def _listed(numbers: Sequence[int]) -> str:
    first, last = numbers[0], numbers[-1]
    whole = len(numbers) > 2 and len(numbers) == last - first + 1
    return f"{first} to {last}" if whole else ", ".join(map(str, numbers))


def _custom(grid: Grid, topology: CustomTopology) -> Callable[[Connection], bool]:
    field = "keep" if topology.keep else "drop"
    patterns = topology.keep or topology.drop or ()
    names = [connection.name for connection in grid]
    named: set[str] = set()
    for index, pattern in enumerate(patterns):
        matched = {name for name in names if fnmatchcase(name, pattern)}
        if not matched:
            raise TopologyError(_unknown(pattern, names), ("topology", field, index))
        named |= matched
    return lambda connection: (connection.name in named) == (field == "keep")
