"""What layers cost at an input shape: parameters, activations, MACs, and the shape they end with.

Sums of layer records, whose own file says what each of them costs.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import prod

from gridgen.grid.layers.layer import Layer, Layers, Residual
from gridgen.grid.layers.record import Shape
from gridgen.grid.layers.resampling import Resize


@dataclass(frozen=True, slots=True)
class Cost:
    """What a sequence of layers costs on one image: three sums, and the shape it ends with."""

    parameters: int
    activations: int
    macs: int
    shape: Shape


@lru_cache(maxsize=1 << 14)
def cost(layers: Layers, shape: Shape, seen: Shape | None = None) -> Cost:
    """Parameters, activation values (the outputs of all layers) and MACs at input `shape`.

    `seen` is the shape of the map that the connection reads, where it reads one.
    """
    parameters = activations = macs = 0
    for layer in layers:
        parameters += layer.parameters
        macs += layer.macs(shape)
        values, shape = _through(layer, shape, seen)
        activations += values
    return Cost(parameters, activations, macs, shape)


def _through(layer: Layer, shape: Shape, seen: Shape | None) -> tuple[int, Shape]:
    """Values that one layer computes, and the shape after it."""
    match layer:
        case Residual(layers, shortcut):
            inner = cost(layers, shape)
            return inner.activations + cost(shortcut, shape).activations, inner.shape
        case Resize():
            assert seen is not None, "a Resize stands in a connection that reads a map"
            shape = shape[0], *seen[1:]
        case _:
            shape = layer.out(shape)
    return prod(shape), shape
