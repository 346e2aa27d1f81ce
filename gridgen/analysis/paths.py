"""Paths through a grid."""

from gridgen.grid import Grid


def count_paths(grid: Grid) -> int:
    """Number of paths from input to output: one pass in topological order.

    The full grid of the paper has sum over d < N_S of C(d+s-1, d) C(d+u-1, d).
    """
    paths = {grid.input: 1}
    for target in grid.maps:
        if target != grid.input:
            paths[target] = sum(paths[source] for source in grid.dag.predecessors(target))
    return paths[grid.output]
