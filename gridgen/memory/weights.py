"""What a network holds besides its activations: trainable values, and running statistics."""

from dataclasses import dataclass
from math import prod

from gridgen.grid import Grid

FP32, INT64 = 4, 8


@dataclass(frozen=True)
class Weights:
    """Trainable values in how many tensors, the largest of them, and bytes of buffers."""

    values: int
    tensors: int
    largest: int
    buffers: int


def weights(grid: Grid) -> Weights:
    """Weights of the whole network, blocks for features beside the image included."""
    sizes = [prod(shape) for _, shape in grid.tensors()]
    # A buffer without dimensions is a counter, which torch stores as a 64-bit integer.
    buffers = sum(FP32 * prod(shape) if shape else INT64 for _, shape in grid.buffers())
    return Weights(sum(sizes), len(sizes), max(sizes, default=0), buffers)
