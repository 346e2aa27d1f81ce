"""The one way to remove connections: keep those wanted, then what still lies on a path."""

from collections.abc import Callable
from dataclasses import replace

import networkx as nx

from gridgen.errors import GridError, TopologyError
from gridgen.grid.grid import Connection, FeatureMap, Grid
from gridgen.grid.validity import require_auxiliary_maps, require_whole
from gridgen.spec import CustomTopology


def keep(grid: Grid, wanted: Callable[[Connection], bool]) -> Grid:
    """The subgraph of the `wanted` connections that lie on a path from input to output.

    Forward *and* backward reachability: a map that the input reaches but that does not reach the
    output would hold units that no gradient trains. The spec of the new grid names what was kept,
    so that it can be built again. Errors: `TopologyError` where no path is left.

    >>> from gridgen.grid.building import build_grid
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec.of(streams=2, columns="2+2", base_channels=4, classes=2))
    >>> [c.name for c in keep(grid, lambda c: c.kind == "lateral")]
    ['lateral_0_1', 'lateral_0_2', 'lateral_0_3']
    """
    kept = keep_wanted(grid, wanted)
    if len(kept.dag.edges) == len(grid.dag.edges):
        return kept
    names = tuple(connection.name for connection in kept)
    custom = CustomTopology(keep=names) if names else CustomTopology(drop=("*",))
    return replace(kept, spec=grid.spec.model_copy(update={"topology": custom}))


def keep_wanted(grid: Grid, wanted: Callable[[Connection], bool]) -> Grid:
    """As `keep`, but the spec does not say what was kept; a pass that knows better does."""
    dag: nx.DiGraph[FeatureMap] = nx.DiGraph()
    dag.add_nodes_from(grid.dag.nodes(data=True))
    dag.add_edges_from(edge for edge in grid.dag.edges(data=True) if wanted(edge[2]["connection"]))
    kept = keep_alive(replace(grid, dag=dag, dead_ends=tuple(filter(wanted, grid.dead_ends))))
    try:
        require_whole(kept, grid)
        require_auxiliary_maps(kept)
    except GridError as error:
        raise TopologyError(str(error), ("topology",)) from error
    return replace(kept, unpruned=grid.unpruned or grid)


def keep_alive(grid: Grid) -> Grid:
    """The grid without what lies on no path from input to output, which becomes its dead ends."""
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
