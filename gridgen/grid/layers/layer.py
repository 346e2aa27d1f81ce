"""All layer records as one type, the residual block made of others, and what sequences cost."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from gridgen.arguments import checked_fields
from gridgen.errors import GridError, UsageError
from gridgen.grid.layers.convolutions import Conv, Deconv
from gridgen.grid.layers.pointwise import (
    GELU,
    BatchNorm,
    GroupNorm,
    ImagenetNorm,
    LeakyReLU,
    PReLU,
    ReLU,
    SiLU,
)
from gridgen.grid.layers.record import WHOLE, Record, Rows, Shape, Tensors, require_equal
from gridgen.grid.layers.resampling import AveragePool, MaxPool, MaxUnpool, Resize, Upsample


@checked_fields
@dataclass(frozen=True, slots=True)
class Residual(Record):
    """A residual block inside a unit: `layers`, and the identity added to what they compute.

    (F, H, W) -> as `layers`. `shortcut` projects the identity where it is not ().
    """

    output_unsaved: ClassVar[bool] = True

    layers: "Layers"
    shortcut: "Layers" = ()

    @property
    def tensors(self) -> Tensors:
        return (*tensors_of(self.layers, "layers."), *tensors_of(self.shortcut, "shortcut."))

    @property
    def buffers(self) -> Tensors:
        return (*buffers_of(self.layers, "layers."), *buffers_of(self.shortcut, "shortcut."))

    @property
    def words(self) -> str:
        return "residual blocks"

    def in_dimensions(self, dimensions: int) -> "Residual":
        layers, shortcut = (
            in_dimensions(each, dimensions) for each in (self.layers, self.shortcut)
        )
        return Residual(layers, shortcut)

    def output_channels(self, given: int) -> int:
        after = channels_after(self.layers, given)
        identity = channels_after(self.shortcut, given)
        if identity != after:
            raise GridError(
                f"a residual block has {after} channels, its identity {identity}; make them equal"
            )
        return after

    def out(self, shape: Shape, auxiliary: Shape | None = None) -> Shape:
        after, identity = cost(self.layers, shape).shape, cost(self.shortcut, shape).shape
        require_equal("the identity", identity, "its block", after)
        return after

    def activations(self, shape: Shape, auxiliary: Shape | None = None) -> int:
        return cost(self.layers, shape).activations + cost(self.shortcut, shape).activations

    def macs(self, shape: Shape) -> int:
        return cost(self.layers, shape).macs + cost(self.shortcut, shape).macs

    def rows(self, first: Any, last: Any) -> Rows:
        return hull(
            rows_before(self.layers, (first, last)), rows_before(self.shortcut, (first, last))
        )


Layer = (
    Conv
    | Deconv
    | BatchNorm
    | GroupNorm
    | ImagenetNorm
    | ReLU
    | LeakyReLU
    | GELU
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


def flat(layers: Iterable[Layer]) -> Iterator[Layer]:
    """The layers, and in place of each residual block those that it is made of."""
    for layer in layers:
        if isinstance(layer, Residual):
            yield from flat((*layer.layers, *layer.shortcut))
        else:
            yield layer


def in_dimensions(layers: Layers, dimensions: int) -> Layers:
    """The layers for maps that have so many sides: 1, 2 or 3 (`Conv1d`, `Conv2d`, `Conv3d`).

    Errors: `UsageError` for what a function of one's own gives and is no tuple of layers.
    """
    if not isinstance(layers, tuple) or not all(hasattr(each, "in_dimensions") for each in layers):
        fact = f"{layers!r} is no tuple of layers such as (Conv(8, 8),)"
        raise UsageError(f"{fact}; take those of gridgen.grid.layers")
    return tuple(layer.in_dimensions(dimensions) for layer in layers)


def tensors_of(layers: Layers, prefix: str = "") -> Tensors:
    """Trainable tensors of a sequence; names as in the `state_dict` of a `nn.Sequential`."""
    return tuple(
        (f"{prefix}{place}.{name}", shape)
        for place, layer in enumerate(layers)
        for name, shape in layer.tensors
    )


def buffers_of(layers: Layers, prefix: str = "") -> Tensors:
    """Buffers of a sequence, named as `tensors_of` names trainable tensors."""
    return tuple(
        (f"{prefix}{place}.{name}", shape)
        for place, layer in enumerate(layers)
        for name, shape in layer.buffers
    )


def channels_after(layers: Layers, channels: int) -> int:
    """Channels of the output of `layers` on a map of `channels`.

    Errors: `GridError` where a layer is made for other channels than it is given.
    """
    for layer in layers:
        channels = layer.output_channels(channels)
    return channels


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters, activations and MACs of a sequence of layers on one image; its output shape."""

    parameters: int
    activations: int
    macs: int
    shape: Shape


@lru_cache(maxsize=1 << 14)
def cost(layers: Layers, shape: Shape, auxiliary: Shape | None = None) -> Cost:
    """Parameters, activation values (the outputs of all layers) and MACs at input `shape`.

    `auxiliary` is the shape of the connection's auxiliary input, if it has one. Errors:
    `GridError` where shapes do not fit each other.
    """
    parameters = activations = macs = 0
    for layer in layers:
        parameters += layer.parameters
        macs += layer.macs(shape)
        activations += layer.activations(shape, auxiliary)
        shape = layer.out(shape, auxiliary)
    return Cost(parameters, activations, macs, shape)


def rows_before(layers: Layers, rows: Rows) -> Rows:
    """The input rows on which the output `rows` of a sequence depend."""
    for layer in reversed(layers):
        if rows is WHOLE:
            break
        rows = layer.rows(*rows)
    return rows


def hull(one: Rows, other: Rows) -> Rows:
    """The smallest ranges that hold both."""
    if one is WHOLE or other is WHOLE:
        return WHOLE
    import numpy as np  # only here: counting starts up without it

    return np.minimum(one[0], other[0]), np.maximum(one[1], other[1])
