"""Layers that multiply: convolutions and transposed convolutions."""

from dataclasses import dataclass
from math import prod
from typing import Any

from gridgen.errors import GridError
from gridgen.grid.layers.record import Rows, Shape


@dataclass(frozen=True, slots=True)
class Conv:
    """Convolution k x k, padded to keep the size at stride 1 and to divide it by a larger stride.

    (F, H, W) -> (G, ceil(H / stride), ceil(W / stride)) for odd k. `valid`: without padding, so
    that dilation * (k - 1) rows and columns are lost. `groups` divides F and G; F groups of one
    channel are a depthwise convolution.
    """

    channels_in: int
    channels_out: int
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    bias: bool = True
    valid: bool = False

    def __post_init__(self) -> None:
        if min(self.kernel, self.stride, self.dilation, self.groups) < 1:
            raise GridError(f"{self}: kernel, stride, dilation and groups are 1 at least")
        if self.channels_in % self.groups or self.channels_out % self.groups:
            fact = f"{self.groups} groups divide not {self.channels_in} and {self.channels_out}"
            raise GridError(f"{fact} channels; choose groups that divide both")

    @property
    def padding(self) -> int:
        return 0 if self.valid else self.dilation * (self.kernel - 1) // 2

    @property
    def parameters(self) -> int:
        weights = self.kernel**2 * self.channels_in // self.groups
        return (weights + self.bias) * self.channels_out

    def out(self, shape: Shape) -> Shape:
        _, height, width = shape
        more = 2 * self.padding - self.dilation * (self.kernel - 1) - 1
        return (
            self.channels_out,
            (height + more) // self.stride + 1,
            (width + more) // self.stride + 1,
        )

    def macs(self, shape: Shape) -> int:
        return self.kernel**2 * self.channels_in // self.groups * prod(self.out(shape))

    def reach(self, first: Any, last: Any) -> Rows:
        begin = first * self.stride - self.padding
        return begin, last * self.stride - self.padding + self.dilation * (self.kernel - 1)


@dataclass(frozen=True, slots=True)
class Deconv:
    """Transposed convolution k x k, padded so that the size is multiplied by the stride.

    (F, H, W) -> (G, H * stride, W * stride); at 3 x 3 this is padding 1 and, at stride 2, output
    padding 1. `valid`: without padding, so that k - stride rows and columns are won.
    Multiply-accumulates are counted at the *input*'s size: each input value meets each weight once.
    Errors: `GridError` for a kernel that no padding fits: smaller than stride - 1, or even at
    stride 1.
    """

    channels_in: int
    channels_out: int
    stride: int = 1
    kernel: int = 3
    bias: bool = True
    valid: bool = False

    @property
    def padding(self) -> int:
        return 0 if self.valid else (self.kernel - self.stride + 1) // 2

    def __post_init__(self) -> None:
        if self.padding < 0 or self.output_padding >= self.stride:
            raise GridError(
                f"no padding makes a {self.kernel}x{self.kernel} transposed convolution of stride "
                f"{self.stride} multiply the size by that; use an odd or a larger kernel, or valid"
            )

    @property
    def output_padding(self) -> int:
        return 0 if self.valid else 2 * self.padding - (self.kernel - self.stride)

    @property
    def parameters(self) -> int:
        return (self.kernel**2 * self.channels_in + self.bias) * self.channels_out

    def out(self, shape: Shape) -> Shape:
        _, height, width = shape
        won = self.kernel - self.stride if self.valid else 0
        return self.channels_out, height * self.stride + won, width * self.stride + won

    def macs(self, shape: Shape) -> int:
        return self.kernel**2 * self.channels_out * prod(shape)

    def reach(self, first: Any, last: Any) -> Rows:
        begin = -((self.kernel - 1 - first - self.padding) // self.stride)
        return begin, (last + self.padding) // self.stride
