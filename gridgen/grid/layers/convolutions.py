"""Layers that multiply: convolutions and transposed convolutions."""

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from gridgen.arguments import checked_fields
from gridgen.errors import GridError
from gridgen.grid.layers.record import Record, Rows, Shape, Tensors, kernel_text


@checked_fields
@dataclass(frozen=True, slots=True)
class Conv(Record):
    """Convolution k x k, padded to keep the size at stride 1 and to divide it by a larger stride.

    (F, H, W) -> (G, ceil(H / stride), ceil(W / stride)) for odd k; with one or three `dimensions`
    the kernel and the map have as many sides. `valid`: without padding, so that
    dilation * (k - 1) rows and columns are lost. `groups` divides F and G; F groups of one channel
    are a depthwise convolution.
    """

    output_unsaved: ClassVar[bool] = True

    channels_in: int
    channels_out: int
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    bias: bool = True
    valid: bool = False
    dimensions: int = 2

    def __post_init__(self) -> None:
        if min(self.kernel, self.stride, self.dilation, self.groups) < 1:
            raise GridError(f"{self}: kernel, stride, dilation and groups must be at least 1")
        if self.channels_in % self.groups or self.channels_out % self.groups:
            raise GridError(
                f"{self.channels_in} and {self.channels_out} channels are not both divisible by "
                f"{self.groups} groups"
            )

    @property
    def padding(self) -> int:
        return 0 if self.valid else self.dilation * (self.kernel - 1) // 2

    @property
    def tensors(self) -> Tensors:
        kernel = (self.kernel,) * self.dimensions
        shape = self.channels_out, self.channels_in // self.groups, *kernel
        return (("weight", shape), *_bias(self))

    @property
    def words(self) -> str:
        depthwise = 1 < self.groups == self.channels_in == self.channels_out
        words = [
            "valid" if self.valid else "",
            "depthwise" if depthwise else "",
            kernel_text(self.kernel, self.dimensions),
            "convolution",
            f"of stride {self.stride}" if self.stride > 1 else "",
            f"of dilation {self.dilation}" if self.dilation > 1 else "",
            f"in {self.groups} groups" if self.groups > 1 and not depthwise else "",
        ]
        return " ".join(filter(None, words))

    def output_channels(self, given: int) -> int:
        self._require_channels(self.channels_in, given)
        return self.channels_out

    def out(self, shape: Shape, auxiliary: Shape | None = None) -> Shape:
        more = 2 * self.padding - self.dilation * (self.kernel - 1) - 1
        return (self.channels_out, *((side + more) // self.stride + 1 for side in shape[1:]))

    def macs(self, shape: Shape) -> int:
        return (
            int(self.kernel**self.dimensions)
            * self.channels_in
            // self.groups
            * prod(self.out(shape))
        )

    def rows(self, first: Any, last: Any) -> Rows:
        begin = first * self.stride - self.padding
        return begin, last * self.stride - self.padding + self.dilation * (self.kernel - 1)


@checked_fields
@dataclass(frozen=True, slots=True)
class Deconv(Record):
    """Transposed convolution k x k, padded so that the size is multiplied by the stride.

    (F, H, W) -> (G, H * stride, W * stride); at 3 x 3 this is padding 1 and, at stride 2, output
    padding 1. `valid`: without padding, so that k - stride rows and columns are won.
    Multiply-accumulates are counted at the *input*'s size: each input value meets each weight once.
    Errors: `GridError` for a kernel that no padding fits: smaller than stride - 1, or even at
    stride 1.
    """

    output_unsaved: ClassVar[bool] = True

    channels_in: int
    channels_out: int
    stride: int = 1
    kernel: int = 3
    bias: bool = True
    valid: bool = False
    dimensions: int = 2

    @property
    def padding(self) -> int:
        return 0 if self.valid else (self.kernel - self.stride + 1) // 2

    def __post_init__(self) -> None:
        if self.padding < 0 or self.output_padding >= self.stride:
            kind = f"{kernel_text(self.kernel, self.dimensions)} transposed convolution"
            fact = f"no padding makes a {kind} of stride {self.stride} multiply the size by that"
            raise GridError(f"{fact}; use an odd or a larger kernel, or valid")

    @property
    def output_padding(self) -> int:
        return 0 if self.valid else 2 * self.padding - (self.kernel - self.stride)

    @property
    def tensors(self) -> Tensors:
        # torch stores the kernel of a transposed convolution with the input channels first.
        shape = self.channels_in, self.channels_out, *(self.kernel,) * self.dimensions
        return (("weight", shape), *_bias(self))

    @property
    def words(self) -> str:
        step = f" of stride {self.stride}" if self.stride > 1 else ""
        valid = "valid " if self.valid else ""
        kernel = kernel_text(self.kernel, self.dimensions)
        return f"{valid}{kernel} transposed convolution{step}"

    def output_channels(self, given: int) -> int:
        self._require_channels(self.channels_in, given)
        return self.channels_out

    def out(self, shape: Shape, auxiliary: Shape | None = None) -> Shape:
        won = self.kernel - self.stride if self.valid else 0
        return (self.channels_out, *(side * self.stride + won for side in shape[1:]))

    def macs(self, shape: Shape) -> int:
        return int(self.kernel**self.dimensions) * self.channels_out * prod(shape)

    def rows(self, first: Any, last: Any) -> Rows:
        begin = -((self.kernel - 1 - first - self.padding) // self.stride)
        return begin, (last + self.padding) // self.stride


def _bias(layer: Conv | Deconv) -> Tensors:
    return (("bias", (layer.channels_out,)),) if layer.bias else ()
