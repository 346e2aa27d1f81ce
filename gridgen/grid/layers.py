"""Layers as data: each record knows its output shape, parameters and multiply-accumulates.

A layer kind is one record here and one `case` in each lowering (`emit/lower.py`). Records hold no
weights and import no torch. Shapes are (channels, height, width) of one image. Every record has
`parameters` (trainable values), `out(shape)` and `macs(shape)` at an input shape.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import prod

Shape = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Conv:
    """Convolution k x k with bias, padded to keep the size at stride 1, halve it at stride 2.

    (F, H, W) -> (G, ceil(H / stride), ceil(W / stride)).
    """

    channels_in: int
    channels_out: int
    kernel: int = 3
    stride: int = 1

    @property
    def parameters(self) -> int:
        return (self.kernel**2 * self.channels_in + 1) * self.channels_out

    def out(self, shape: Shape) -> Shape:
        _, height, width = shape
        return self.channels_out, -(-height // self.stride), -(-width // self.stride)

    def macs(self, shape: Shape) -> int:
        return self.kernel**2 * self.channels_in * prod(self.out(shape))


@dataclass(frozen=True, slots=True)
class Deconv:
    """Transposed convolution 3 x 3 with bias, padding 1 (output padding 1 at stride 2).

    (F, H, W) -> (G, H * stride, W * stride). Multiply-accumulates are counted at the *input*'s
    size: each input value meets each weight once.
    """

    channels_in: int
    channels_out: int
    stride: int = 1

    @property
    def parameters(self) -> int:
        return (9 * self.channels_in + 1) * self.channels_out

    def out(self, shape: Shape) -> Shape:
        _, height, width = shape
        return self.channels_out, height * self.stride, width * self.stride

    def macs(self, shape: Shape) -> int:
        return 9 * self.channels_out * prod(shape)


@dataclass(frozen=True, slots=True)
class _SameShape:
    """A layer that keeps the shape and multiplies nothing worth counting."""

    @property
    def parameters(self) -> int:
        return 0

    def out(self, shape: Shape) -> Shape:
        return shape

    def macs(self, shape: Shape) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class BatchNorm(_SameShape):
    """Batch normalization with a learnt scale and shift per channel."""

    channels: int

    @property
    def parameters(self) -> int:
        return 2 * self.channels


@dataclass(frozen=True, slots=True)
class ReLU(_SameShape):
    """Rectifier."""


@dataclass(frozen=True, slots=True)
class MaxPool(_SameShape):
    """Maximum over 2 x 2, stride 2. (F, H, W) -> (F, ceil(H / 2), ceil(W / 2))."""

    def out(self, shape: Shape) -> Shape:
        channels, height, width = shape
        return channels, -(-height // 2), -(-width // 2)


@dataclass(frozen=True, slots=True)
class Upsample(_SameShape):
    """Interpolation to twice the size; corners are not aligned. (F, H, W) -> (F, 2H, 2W)."""

    mode: str = "nearest"

    def out(self, shape: Shape) -> Shape:
        channels, height, width = shape
        return channels, 2 * height, 2 * width


Layer = Conv | Deconv | BatchNorm | ReLU | MaxPool | Upsample
Layers = tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a sequence of layers costs on one image: three sums, and the shape it ends with."""

    parameters: int
    activations: int
    macs: int
    shape: Shape


@lru_cache(maxsize=1 << 14)
def cost(layers: Layers, shape: Shape) -> Cost:
    """Parameters, activation values (the outputs of all layers) and MACs at input `shape`."""
    parameters = activations = macs = 0
    for layer in layers:
        parameters += layer.parameters
        macs += layer.macs(shape)
        shape = layer.out(shape)
        activations += prod(shape)
    return Cost(parameters, activations, macs, shape)
