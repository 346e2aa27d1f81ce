"""What every layer record has, and the record that changes nothing: the base of most."""

from dataclasses import dataclass

Shape = tuple[int, int, int]
"""(channels, height, width) of one image."""

Rows = tuple[float, float]
"""First and last row of a range."""

WHOLE = float("-inf"), float("inf")
"""The range of a layer that sees the whole image."""


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

    def reach(self, first: float, last: float) -> Rows:
        return first, last
