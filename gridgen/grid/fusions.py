"""Fusions: how the connections that arrive at a feature map become one tensor."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gridgen.grid.layers import Conv, Layers


@dataclass(frozen=True)
class Fusion:
    """How arrivals are joined, and the layers after that.

    `after(arrivals, channels)` gives those layers for `arrivals` tensors of `channels` each;
    they must end with `channels` again.
    """

    description: str
    join: Literal["sum", "concat"]
    after: Callable[[int, int], Layers]


def nothing(arrivals: int, channels: int) -> Layers:
    """No layers."""
    return ()


def reduce(arrivals: int, channels: int) -> Layers:
    """A 1x1 convolution from all arrivals to the map's channels; none where one arrives."""
    return (Conv(arrivals * channels, channels, kernel=1),) if arrivals > 1 else ()


FUSIONS: dict[str, Fusion] = {
    "sum": Fusion("added up (the paper's choice)", "sum", nothing),
    "concat": Fusion(
        "concatenated, then a 1x1 convolution to the map's channels", "concat", reduce
    ),
}
