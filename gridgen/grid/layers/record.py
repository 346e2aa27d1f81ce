"""The interface of every layer record, with the defaults of a layer that changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar, Literal, Self

from gridgen.errors import GridError

Mode = Literal["nearest", "bilinear"]
"""Interpolation modes, as PyTorch names them."""

Shape = tuple[int, ...]
"""(channels, height, width) of one image; (channels, *sides) in other numbers of dimensions."""

Tensors = tuple[tuple[str, tuple[int, ...]], ...]
"""Name and shape of each tensor, in the order in which the PyTorch module registers them."""

Rows = tuple[Any, Any]
"""First and last row of a range: integers, or arrays of integers for many ranges at once."""

WHOLE: Rows = float("-inf"), float("inf")
"""The range of a layer whose outputs depend on the whole image."""


def shape_text(shape: Iterable[int]) -> str:
    """A shape such as `16x400x400`.

    >>> shape_text((360, 480))
    '360x480'
    """
    return "x".join(map(str, shape))


def kernel_text(kernel: int, dimensions: int) -> str:
    """A kernel in words.

    >>> kernel_text(3, 2), kernel_text(3, 3), kernel_text(3, 1)
    ('3x3', '3x3x3', 'size-3')
    """
    return shape_text((kernel,) * dimensions) if dimensions > 1 else f"size-{kernel}"


@dataclass(frozen=True, slots=True)
class Record:
    """A layer as data: everything that is known of it without PyTorch.

    The defaults describe a layer without weights that keeps the shape, computes each output from
    the input at the same place, and multiplies nothing worth counting.
    """

    # Class variables and not fields: a dataclass compares and hashes its fields.
    needs_auxiliary: ClassVar[bool] = False
    """True if the layer reads the connection's auxiliary input beside its own."""
    output_unsaved: ClassVar[bool] = False
    """True if autograd does not save the output, so a following activation may run in place."""

    @property
    def tensors(self) -> Tensors:
        """Trainable tensors."""
        return ()

    @property
    def buffers(self) -> Tensors:
        """Tensors that are stored with the weights but not trained, such as running statistics."""
        return ()

    @property
    def parameters(self) -> int:
        """Number of trainable values."""
        return sum(prod(shape) for _, shape in self.tensors)

    @property
    def words(self) -> str:
        """The kind of layer in words, without its channels, such as `3x3 convolution`."""
        return type(self).__name__

    def in_dimensions(self, dimensions: int) -> Self:
        """The layer for maps that have so many sides, where it has a field `dimensions`."""
        if getattr(self, "dimensions", dimensions) == dimensions:
            return self
        changes: dict[str, Any] = {"dimensions": dimensions}
        return replace(self, **changes)

    def output_channels(self, given: int) -> int:
        """Channels of the output. Errors: `GridError` where the layer does not take `given`."""
        return given

    def out(self, shape: Shape, auxiliary: Shape | None = None) -> Shape:
        """Output shape; `auxiliary` is the shape of the auxiliary input. Errors: `GridError`."""
        return shape

    def activations(self, shape: Shape, auxiliary: Shape | None = None) -> int:
        """Number of output values for one image of input `shape`."""
        return prod(self.out(shape, auxiliary))

    def macs(self, shape: Shape) -> int:
        """Multiply-accumulates for one image of input `shape`."""
        return 0

    def rows(self, first: Any, last: Any) -> Rows:
        """First and last input row on which the output rows `first` to `last` depend."""
        return first, last

    def _require_channels(self, wanted: int, given: int) -> None:
        if wanted != given:
            name = type(self).__name__
            raise GridError(f"{name} expects {wanted} channels but gets {given}; make them equal")


def require_equal(what: str, shape: Shape, other: str, wanted: Shape) -> None:
    """Two shapes that have to be the same. Errors: `GridError`."""
    if shape != wanted:
        fact = f"{what} is {shape_text(shape)}, {other} {shape_text(wanted)}"
        raise GridError(f"{fact}; both must agree")
