"""The order in which a module computes feature maps, and when each can be freed."""

from dataclasses import dataclass

from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.grid.fusions import Join


@dataclass(frozen=True)
class Step:
    """Compute `target` from its arrivals, then free the maps that nothing reads any more.

    Plain data, so that `torch.compile` meets no graph library in the forward pass.
    """

    target: FeatureMap
    join: Join
    arrivals: tuple[Connection, ...]
    last_uses: tuple[FeatureMap, ...]


def schedule(grid: Grid) -> tuple[Step, ...]:
    """One step per feature map after the input, in the grid's order."""
    last_reader = {
        read: target
        for target in grid.maps
        for connection in grid.into(target)
        for read in (connection.source, *([connection.reads] if connection.reads else []))
    }
    return tuple(
        Step(
            target,
            _join(grid, target),
            tuple(grid.into(target)),
            tuple(sorted(source for source, reader in last_reader.items() if reader == target)),
        )
        for target in grid.maps
        if target != grid.input
    )


def _join(grid: Grid, target: FeatureMap) -> Join:
    """How arrivals are joined; one alone has no weight to be weighed by."""
    fusion = grid.fusion_of(target)
    alone = fusion.join == "weighted" and not fusion.weights(grid.dag.in_degree(target))
    return "sum" if alone else fusion.join
