"""The one way to remove connections: keep those wanted, then what still lies on a path."""

from collections.abc import Callable
from dataclasses import replace

import networkx as nx

from gridgen.errors import TopologyError
from gridgen.grid.grid import Connection, FeatureMap, Grid


def keep(grid: Grid, wanted: Callable[[Connection], bool]) -> Grid:
    """The subgraph of the `wanted` connections that lie on a path from input to output.

    Forward *and* backward reachability: a map that the input reaches but that does not reach the
    output would hold units that no gradient trains. Errors: `TopologyError` where no path is left.

    >>> from gridgen.grid.build import build_grid
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec.of(streams=2, columns="2+2", base_channels=4, classes=2))
    >>> [c.name for c in keep(grid, lambda c: c.kind == "lateral")]
    ['lateral_0_1', 'lateral_0_2', 'lateral_0_3']
    """
    dag: nx.DiGraph[FeatureMap] = nx.DiGraph()
    dag.add_nodes_from((grid.input, grid.output))
    for source, target, edge in grid.dag.edges(data=True):
        if wanted(edge["connection"]):
            dag.add_edge(source, target, **edge)
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
    kept: nx.DiGraph[FeatureMap] = nx.DiGraph(dag.subgraph(alive))
    return replace(
        grid,
        dag=nx.freeze(kept),
        dead_ends=(*filter(wanted, grid.dead_ends), *dead),
        unpruned=grid.unpruned or grid,
    )


def keep_alive(grid: Grid) -> Grid:
    """The grid without what lies on no path from input to output; not a pruning of it."""
    return replace(keep(grid, lambda _: True), unpruned=grid.unpruned)
