"""Layers that change the size without weights: pooling, unpooling, interpolation."""

from dataclasses import dataclass
from typing import Any, ClassVar, get_args

from gridgen.arguments import checked_fields
from gridgen.errors import GridError, unknown
from gridgen.grid.layers.record import WHOLE, Mode, Record, Rows, Shape, kernel_text, require_equal


@checked_fields
@dataclass(frozen=True, slots=True)
class MaxPool(Record):
    """Maximum over k x k; k is odd or the stride.

    (F, H, W) -> (F, ceil(H / stride), ceil(W / stride)). Unpadded where the stride is the kernel,
    otherwise padded as a convolution is.
    """

    kernel: int = 2
    stride: int = 2
    dimensions: int = 2

    @property
    def padding(self) -> int:
        return 0 if self.kernel == self.stride else (self.kernel - 1) // 2

    @property
    def words(self) -> str:
        plain = (self.kernel, self.stride) == (2, 2)
        return (
            "max-pooling" if plain else f"{kernel_text(self.kernel, self.dimensions)} max-pooling"
        )

    def out(self, shape: Shape, auxiliary: Shape | None = None) -> Shape:
        # Rounded up, so that odd sides keep their last row; the module pools with ceil_mode.
        if self.kernel == self.stride:
            return (shape[0], *(-(-side // self.stride) for side in shape[1:]))
        more = 2 * self.padding - self.kernel
        return (shape[0], *((side + more) // self.stride + 1 for side in shape[1:]))

    def rows(self, first: Any, last: Any) -> Rows:
        begin = first * self.stride - self.padding
        return begin, last * self.stride - self.padding + self.kernel - 1


@checked_fields
@dataclass(frozen=True, slots=True)
class MaxUnpool(Record):
    """Undoes the 2 x 2 maximum of the connection named `pooling`; the other places are zero.

    (F, H, W) -> (F, 2H, 2W). The auxiliary input is the map that `pooling` leaves, in which the
    positions of the maxima are found again.
    """

    needs_auxiliary: ClassVar[bool] = True

    pooling: str
    dimensions: int = 2

    @property
    def words(self) -> str:
        return "max-unpooling"

    def out(self, shape: Shape, auxiliary: Shape | None = None) -> Shape:
        doubled = (shape[0], *(2 * side for side in shape[1:]))
        if auxiliary is not None:
            require_equal("what is unpooled", doubled, "the auxiliary input", auxiliary)
        return doubled

    def rows(self, first: Any, last: Any) -> Rows:
        return first // 2, last // 2


@checked_fields
@dataclass(frozen=True, slots=True)
class AveragePool(Record):
    """Mean over a regular division of the map. (F, H, W) -> (F, bins, bins) whatever the size."""

    bins: int
    dimensions: int = 2

    @property
    def words(self) -> str:
        return f"average pooling to {kernel_text(self.bins, self.dimensions)}"

    def out(self, shape: Shape, auxiliary: Shape | None = None) -> Shape:
        return (shape[0], *(self.bins for _ in shape[1:]))

    def rows(self, first: Any, last: Any) -> Rows:
        return WHOLE


@checked_fields
@dataclass(frozen=True, slots=True)
class Upsample(Record):
    """Interpolation to `factor` times the size; corners are not aligned.

    (F, H, W) -> (F, factor H, factor W).
    """

    mode: Mode = "nearest"
    factor: int = 2
    dimensions: int = 2

    def __post_init__(self) -> None:
        _require_mode(self.mode)

    @property
    def words(self) -> str:
        return f"{self.mode} upsampling" + (f" by {self.factor}" if self.factor != 2 else "")

    def out(self, shape: Shape, auxiliary: Shape | None = None) -> Shape:
        return (shape[0], *(self.factor * side for side in shape[1:]))

    def rows(self, first: Any, last: Any) -> Rows:
        twice = 2 * self.factor
        if self.mode == "nearest":
            return first // self.factor, last // self.factor
        # The centre of output row o lies at (o + 1/2) / factor - 1/2 of the input.
        return (2 * first + 1 - self.factor) // twice, -((self.factor - 1 - 2 * last) // twice)


@checked_fields
@dataclass(frozen=True, slots=True)
class Resize(Record):
    """Interpolation to the size of the connection's auxiliary input; corners are not aligned.

    (F, H, W) -> (F, H', W').
    """

    needs_auxiliary: ClassVar[bool] = True

    mode: Mode = "bilinear"
    dimensions: int = 2

    def __post_init__(self) -> None:
        _require_mode(self.mode)

    @property
    def words(self) -> str:
        return f"{self.mode} resizing"

    def out(self, shape: Shape, auxiliary: Shape | None = None) -> Shape:
        assert auxiliary is not None, "a Resize stands in a connection with an auxiliary input"
        return (shape[0], *auxiliary[1:])

    def rows(self, first: Any, last: Any) -> Rows:
        return WHOLE


def _require_mode(mode: str) -> None:
    if mode not in get_args(Mode):
        raise GridError(unknown("interpolation", mode, get_args(Mode)))
