"""Fusions: how the connections that arrive at a feature map become one tensor."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gridgen.arguments import checked_fields
from gridgen.grid.layers import Conv, Layers, in_dimensions

Join = Literal["sum", "concat", "weighted"]


@checked_fields
@dataclass(frozen=True)
class Fusion:
    """A way to join the connections into a map, and the layers that follow where they are
    concatenated.

    `after(joined, channels)` gives those layers, from the channels that the join has to the map's.
    """

    description: str
    join: Join
    after: Callable[[int, int], Layers]

    def layers(self, joined: int, channels: int, dimensions: int) -> Layers:
        """What `after` gives, for maps that have so many sides."""
        return in_dimensions(self.after(joined, channels), dimensions)

    def weights(self, arrivals: int) -> int:
        """Trainable values of the join itself."""
        # One arrival alone would be divided by its own weight.
        return arrivals if self.join == "weighted" and arrivals > 1 else 0


def nothing(joined: int, channels: int) -> Layers:
    """No layers."""
    return ()


def reduce(joined: int, channels: int) -> Layers:
    """A 1x1 convolution to the map's channels; none where they are as many already."""
    return (Conv(joined, channels, kernel=1),) if joined != channels else ()


SUM = Fusion("added up (the paper's choice)", "sum", nothing)
CONCAT = Fusion("concatenated", "concat", nothing)
REDUCED = Fusion("concatenated, then a 1x1 convolution to the map's channels", "concat", reduce)
WEIGHTED = Fusion(
    "averaged with a learnt weight >= 0 for each arrival (Tan et al. 2020)",
    "weighted",
    nothing,
)

FUSIONS: dict[str, Fusion] = {"sum": SUM, "concat": REDUCED, "weighted": WEIGHTED}
"""The fusions that a spec may name; each keeps the map's channels."""
