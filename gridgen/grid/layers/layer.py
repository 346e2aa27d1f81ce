"""All layer records as one type, the residual block made of others, and what sequences cost."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import assert_never

from gridgen.errors import GridError
from gridgen.grid.layers.convolutions import Conv, Deconv
from gridgen.grid.layers.pointwise import BatchNorm, GroupNorm, PReLU, ReLU, SiLU
from gridgen.grid.layers.record import Shape, shape_text
from gridgen.grid.layers.resampling import AveragePool, MaxPool, MaxUnpool, Resize, Upsample


@dataclass(frozen=True, slots=True)
class Residual:
    """A residual block inside a unit: `layers`, and the identity added to what they compute.

    (F, H, W) -> as `layers`. `shortcut` projects the identity where it is not ().
    """

    layers: "Layers"
    shortcut: "Layers" = ()

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in (*self.layers, *self.shortcut))

    def out(self, shape: Shape) -> Shape:
        return cost(self.layers, shape).shape

    def macs(self, shape: Shape) -> int:
        return cost(self.layers, shape).macs + cost(self.shortcut, shape).macs


Layer = (
    Conv
    | Deconv
    | BatchNorm
    | GroupNorm
    | ReLU
    | SiLU
    | PReLU
    | MaxPool
    | MaxUnpool
    | AveragePool
    | Upsample
    | Resize
    | Residual
)
Layers = tuple[Layer, ...]

FRESH = BatchNorm | GroupNorm | Conv | Deconv | Residual
"""Layers whose output nobody else reads, not even their own backward pass: an activation after
one of them works in place."""


def flat(layers: Iterable[Layer]) -> Iterator[Layer]:
    """The layers, and in place of each residual block those that it is made of."""
    for layer in layers:
        if isinstance(layer, Residual):
            yield from flat((*layer.layers, *layer.shortcut))
        else:
            yield layer


def channels_after(layers: Layers, channels: int) -> int:
    """Channels of what `layers` make of a map of `channels`.

    Errors: `GridError` where a layer is made for other channels than it is given.
    """
    for layer in layers:
        match layer:
            case Conv() | Deconv():
                _require(layer, layer.channels_in, channels)
                channels = layer.channels_out
            case BatchNorm() | GroupNorm():
                _require(layer, layer.channels, channels)
            case PReLU(slopes) if slopes > 1:
                _require(layer, slopes, channels)
            case Residual(inner, shortcut):
                after = channels_after(inner, channels)
                _require(layer, channels_after(shortcut, channels), after)
                channels = after
            case ReLU() | SiLU() | PReLU() | MaxPool() | MaxUnpool() | AveragePool():
                pass
            case Upsample() | Resize():
                pass
            case _:
                assert_never(layer)
    return channels


def _require(layer: "Layer", wanted: int, given: int) -> None:
    if wanted != given:
        name = type(layer).__name__
        raise GridError(f"a {name} of {wanted} channels meets {given}; give both as many")


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

    `seen` is the shape of the map that the connection reads, where it reads one. Errors:
    `GridError` where shapes do not fit each other.
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
            inner, identity = cost(layers, shape), cost(shortcut, shape)
            require_equal("the identity", identity.shape, "its block", inner.shape)
            return inner.activations + identity.activations, inner.shape
        case MaxUnpool():
            assert seen is not None, "a MaxUnpool stands in a connection that reads a map"
            shape = layer.out(shape)
            require_equal("what is unpooled", shape, "the map that it looks at", seen)
        case Resize():
            assert seen is not None, "a Resize stands in a connection that reads a map"
            shape = shape[0], *seen[1:]
        case _:
            shape = layer.out(shape)
    return prod(shape), shape


def require_equal(what: str, shape: Shape, other: str, wanted: Shape) -> None:
    """Two shapes that have to be the same. Errors: `GridError`."""
    if shape != wanted:
        fact = f"{what} is {shape_text(shape)}, {other} {shape_text(wanted)}"
        raise GridError(f"{fact}; both must agree")
