"""All layer records as one type, the residual block made of others, and what sequences do."""

from dataclasses import dataclass

from gridgen.errors import GridError
from gridgen.grid.layers.convolutions import Conv, Deconv
from gridgen.grid.layers.pointwise import BatchNorm, GroupNorm, PReLU, ReLU, SiLU
from gridgen.grid.layers.record import WHOLE, Rows, Shape
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
        for layer in self.layers:
            shape = layer.out(shape)
        return shape

    def macs(self, shape: Shape) -> int:
        return _macs(self.layers, shape) + _macs(self.shortcut, shape)

    def reach(self, first: float, last: float) -> Rows:
        return hull(reach(self.layers, first, last), reach(self.shortcut, first, last))


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
    return channels


def _require(layer: "Layer", wanted: int, given: int) -> None:
    if wanted != given:
        name = type(layer).__name__
        raise GridError(f"a {name} of {wanted} channels meets {given}; give both as many")


def reach(layers: Layers, first: float, last: float) -> Rows:
    """The input rows that output rows `first`..`last` of `layers` see."""
    for layer in reversed(layers):
        if (first, last) == WHOLE:
            break
        first, last = layer.reach(first, last)
    return first, last


def hull(one: Rows, other: Rows) -> Rows:
    """The smallest range of rows that holds both."""
    return min(one[0], other[0]), max(one[1], other[1])


def _macs(layers: Layers, shape: Shape) -> int:
    total = 0
    for layer in layers:
        total += layer.macs(shape)
        shape = layer.out(shape)
    return total
