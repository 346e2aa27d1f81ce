"""Streams of which a topology leaves nothing."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import networkx as nx

from gridgen.analysis.lints.case import Case
from gridgen.analysis.lints.finding import Finding, Fix
from gridgen.analysis.lints.patterns import without
from gridgen.errors import SpecError
from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.spec import CustomTopology


def lost_stream(case: Case) -> Iterator[Finding]:
    """A stream that lists of connections leave no path through.

    A topology that has a name says what it is; of lists, nobody may have noticed.
    """
    grid, topology = case.grid, case.grid.spec.topology
    if not isinstance(topology, CustomTopology):
        return
    lost = sorted(_streams(grid.full) - _streams(grid))
    fix = _fix(case, topology, _missing(grid, lost))
    fact = f"the topology leaves no map of it, though {grid.spec.needs}"
    yield from (Finding("lost-stream", (f"stream {stream}",), fact, fix) for stream in lost)


def _fix(case: Case, topology: CustomTopology, missing: list[str]) -> Fix:
    """The missing connections kept as well; all of them, where that makes no network."""
    names = [connection.name for connection in case.grid.full]
    lists: dict[str, Any] = {"drop": without(topology.drop or (), names, missing)}
    if topology.keep:
        lists = {"keep": [*topology.keep, *missing]}
    fix = Fix(f"keep also {', '.join(missing)}", {"topology": lists})
    try:
        case.mended(fix)
    except SpecError:
        return Fix("keep all connections", {"topology": None})
    return fix


def _missing(grid: Grid, lost: list[int]) -> list[str]:
    """The connections to add for a path through every lost stream; the lowest may do for all."""
    asked = {connection.name for connection in (*grid, *grid.dead_ends)}
    missing: dict[str, Connection] = {}
    for stream in reversed(lost):
        if stream not in {connection.target.stream for connection in missing.values()}:
            path = _path(grid.full, stream, asked | missing.keys())
            missing |= {step.name: step for step in path if step.name not in asked}
    return list(missing)


def _path(grid: Grid, stream: int, asked: set[str]) -> list[Connection]:
    """A path through `stream` with as few connections as can be beside those asked for."""
    dag: nx.DiGraph[FeatureMap] = nx.DiGraph()
    for connection in grid:
        weight = 0 if connection.name in asked else 1
        dag.add_edge(connection.source, connection.target, weight=weight, connection=connection)
    down = nx.single_source_dijkstra_path_length(dag, grid.input)
    up = nx.single_source_dijkstra_path_length(dag.reverse(), grid.output)
    inside = [place for place in grid.maps if place.stream == stream]
    middle = min(inside, key=lambda place: down[place] + up[place])
    ways = [nx.dijkstra_path(dag, *ends) for ends in ((grid.input, middle), (middle, grid.output))]
    return [dag.edges[step]["connection"] for way in ways for step in pairwise(way)]


def _streams(grid: Grid) -> set[int]:
    return {feature_map.stream for feature_map in grid.maps}
