"""What a network holds besides its activations: trainable values, and running statistics."""

from collections.abc import Iterator
from dataclasses import dataclass

from gridgen.grid import Grid
from gridgen.grid.layers import BatchNorm, Conv, Deconv, GroupNorm, Layer, Layers, PReLU, flat

FP32, INT64 = 4, 8


@dataclass(frozen=True)
class Weights:
    """Trainable values in how many tensors, the largest of them, and bytes of buffers."""

    values: int
    tensors: int
    largest: int
    buffers: int


def weights(grid: Grid) -> Weights:
    """Of the whole network, blocks for features beside the image included."""
    layers = [layer for part in _parts(grid) for layer in flat(part)]
    tensors = [size for layer in layers for size in _tensors(layer)]
    tensors += [
        count
        for target in grid.maps
        if (count := grid.fusion_of(target).weights(grid.dag.in_degree(target)))
    ]
    norms = [layer.channels for layer in layers if isinstance(layer, BatchNorm)]
    buffers = 2 * FP32 * sum(norms) + INT64 * len(norms)
    return Weights(sum(tensors), len(tensors), max(tensors, default=0), buffers)


def _parts(grid: Grid) -> Iterator[Layers]:
    """Every sequence of layers in the network."""
    yield from (grid.stem, grid.head)
    yield from (side.layers for side in grid.sides)
    yield from (grid.fusion_layers(target) for target in grid.maps)
    for connection in grid:
        yield from (connection.unit, connection.shortcut or ())


def _tensors(layer: Layer) -> tuple[int, ...]:
    """Values in each parameter tensor of one layer."""
    match layer:
        case Conv() | Deconv():
            biases = layer.channels_out if layer.bias else 0
            kernel = layer.parameters - biases
            return (kernel, biases) if biases else (kernel,)
        case BatchNorm(channels) | GroupNorm(channels):
            return (channels, channels)
        case PReLU(slopes):
            return (slopes,)
    return ()
