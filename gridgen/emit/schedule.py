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
    weighted: bool
    """Whether the join has trainable weights."""


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
            grid.fusion_of(target).join,
            tuple(grid.into(target)),
            tuple(sorted(source for source, reader in last_reader.items() if reader == target)),
            grid.fusion_of(target).weights(grid.dag.in_degree(target)) > 0,
        )
        for target in grid.maps
        if target != grid.input
    )
