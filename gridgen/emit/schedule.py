"""The order in which a module computes feature maps, and when each can be freed."""

from dataclasses import dataclass
from typing import Literal

from gridgen.grid import Connection, FeatureMap, Grid


@dataclass(frozen=True)
class Step:
    """Compute `target` from its arrivals, then free the maps that nothing reads any more.

    Plain data, so that `torch.compile` meets no graph library in the forward pass.
    """

    target: FeatureMap
    join: Literal["sum", "concat"]
    arrivals: tuple[Connection, ...]
    last_uses: tuple[FeatureMap, ...]


def schedule(grid: Grid) -> tuple[Step, ...]:
    """One step per feature map after the input, in the grid's order."""
    last_reader = {
        connection.source: connection.target
        for target in grid.maps
        for connection in grid.into(target)
    }
    return tuple(
        Step(
            target,
            grid.fusion_of(target).join,
            tuple(grid.into(target)),
            tuple(sorted(source for source, reader in last_reader.items() if reader == target)),
        )
        for target in grid.maps
        if target != grid.input
    )
