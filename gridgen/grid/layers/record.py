"""What every layer record has, and the record that changes nothing: the base of most."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Mode = Literal["nearest", "bilinear"]
"""How interpolation fills in."""

Shape = tuple[int, int, int]
"""(channels, height, width) of one image."""

Rows = tuple[Any, Any]
"""First and last row of a range: whole numbers, or arrays of them, all ranges at once."""

WHOLE: Rows = float("-inf"), float("inf")
"""The range of a layer that sees the whole image."""


def shape_text(shape: Iterable[int]) -> str:
    """Such as `16x400x400`.

    >>> shape_text((360, 480))
    '360x480'
    """
    return "x".join(map(str, shape))


@dataclass(frozen=True, slots=True)
class SameShape:
    """A layer that keeps the shape, looks at one place, and multiplies nothing worth counting."""

    @property
    def parameters(self) -> int:
        return 0

    def out(self, shape: Shape) -> Shape:
        return shape

    def macs(self, shape: Shape) -> int:
        return 0

    def reach(self, first: Any, last: Any) -> Rows:
        return first, last
