"""All paths of a small grid, one by one: what counts of paths are held against."""

from itertools import pairwise

import networkx as nx

from gridgen.grid import Connection, FeatureMap, Grid

Path = tuple[Connection, ...]


def list_paths(grid: Grid) -> list[Path]:
    """Every path from input to output as its connections."""
    if grid.input == grid.output:
        return [()]
    found = nx.all_simple_paths(grid.dag, grid.input, grid.output)
    edges = grid.dag.edges
    return [tuple(edges[pair]["connection"] for pair in pairwise(nodes)) for nodes in found]


def maps_of(grid: Grid, path: Path) -> set[FeatureMap]:
    """The maps that a path leads through."""
    return {grid.input, *(connection.target for connection in path)}
