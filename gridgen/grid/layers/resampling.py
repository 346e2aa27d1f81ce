"""Layers that change the size without weights: pooling, unpooling, interpolation."""

from dataclasses import dataclass
from typing import Any, get_args

from gridgen.errors import GridError, unknown
from gridgen.grid.layers.record import WHOLE, Mode, Rows, SameShape, Shape


@dataclass(frozen=True, slots=True)
class MaxPool(SameShape):
    """Maximum over k x k; k is odd or the stride.

    (F, H, W) -> (F, ceil(H / stride), ceil(W / stride)). Unpadded where the stride is the kernel,
    otherwise padded as a convolution is.
    """

    kernel: int = 2
    stride: int = 2

    @property
    def padding(self) -> int:
        return 0 if self.kernel == self.stride else (self.kernel - 1) // 2

    def out(self, shape: Shape) -> Shape:
        channels, height, width = shape
        if self.kernel == self.stride:
            return channels, -(-height // self.stride), -(-width // self.stride)
        more = 2 * self.padding - self.kernel
        return channels, (height + more) // self.stride + 1, (width + more) // self.stride + 1

    def reach(self, first: Any, last: Any) -> Rows:
        begin = first * self.stride - self.padding
        return begin, last * self.stride - self.padding + self.kernel - 1


@dataclass(frozen=True, slots=True)
class MaxUnpool(SameShape):
    """Undoes the 2 x 2 maximum of the connection named `pooling`; the other places are zero.

    (F, H, W) -> (F, 2H, 2W). Its connection `reads` the map that `pooling` leaves, to see where
    the maxima were.
    """

    pooling: str

    def out(self, shape: Shape) -> Shape:
        channels, height, width = shape
        return channels, 2 * height, 2 * width

    def reach(self, first: Any, last: Any) -> Rows:
        return first // 2, last // 2


@dataclass(frozen=True, slots=True)
class AveragePool(SameShape):
    """Mean over a regular division of the map. (F, H, W) -> (F, bins, bins) whatever the size."""

    bins: int

    def out(self, shape: Shape) -> Shape:
        return shape[0], self.bins, self.bins

    def reach(self, first: Any, last: Any) -> Rows:
        return WHOLE


@dataclass(frozen=True, slots=True)
class Upsample(SameShape):
    """Interpolation to `factor` times the size; corners are not aligned.

    (F, H, W) -> (F, factor H, factor W).
    """

    mode: Mode = "nearest"
    factor: int = 2

    def __post_init__(self) -> None:
        _require_mode(self.mode)

    def out(self, shape: Shape) -> Shape:
        channels, height, width = shape
        return channels, self.factor * height, self.factor * width

    def reach(self, first: Any, last: Any) -> Rows:
        twice = 2 * self.factor
        if self.mode == "nearest":
            return first // self.factor, last // self.factor
        # The centre of output row o lies at (o + 1/2) / factor - 1/2 of the input.
        return (2 * first + 1 - self.factor) // twice, -((self.factor - 1 - 2 * last) // twice)


@dataclass(frozen=True, slots=True)
class Resize(SameShape):
    """Interpolation to the size of the map that the connection `reads`; corners are not aligned.

    (F, H, W) -> (F, H', W').
    """

    mode: Mode = "bilinear"

    def __post_init__(self) -> None:
        _require_mode(self.mode)

    def reach(self, first: Any, last: Any) -> Rows:
        return WHOLE


def _require_mode(mode: str) -> None:
    if mode not in get_args(Mode):
        raise GridError(unknown("interpolation", mode, get_args(Mode)))
