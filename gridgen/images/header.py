"""What an image file says of the values that it stores, before any is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[Any]
"""(H, W, samples of a pixel): numbers as a file stores them, of 8 bits or more each."""


class Photometric(Enum):
    """What the samples of a pixel mean: the photometric interpretation of TIFF 6.0."""

    BLACK_IS_ZERO = "grey"
    WHITE_IS_ZERO = "grey with white at 0"
    RGB = "red, green and blue"
    PALETTE = "a palette"
    CMYK = "cyan, magenta, yellow and black"


LYING = (5, 6, 7, 8)
"""Orientations that swap rows and columns."""
COLOURED = {Photometric.RGB: 3, Photometric.CMYK: 4}
"""Samples that make a colour. Where there are more, each sample is a channel of its own."""


PIXELS_AT_ONCE = 2**22
"""Pixels of a band in which a file is gone through that does not fit into memory."""


class Window(NamedTuple):
    """A rectangular part of an image: its upper left corner and its size, in pixels."""

    top: int
    left: int
    height: int
    width: int

    @classmethod
    def square(cls, top: int, left: int, side: int) -> Self:
        """A window with equal sides."""
        return cls(top, left, side, side)

    @property
    def rows(self) -> slice:
        """The rows that the window covers."""
        return slice(self.top, self.top + self.height)

    @property
    def columns(self) -> slice:
        """The columns that the window covers."""
        return slice(self.left, self.left + self.width)


@dataclass(frozen=True, eq=False)
class Header:
    """The header of an image file, of whatever format."""

    format: str
    """PNG, JPEG, WEBP, BMP or TIFF."""
    stored: tuple[int, int]
    """Rows and columns as they lie in the file, before its orientation is obeyed."""
    samples: int
    """Numbers that are stored for a pixel; the pages of a TIFF follow each other."""
    dtype: np.dtype[Any]
    """The type in which they are read: that of the file, or the next larger one."""
    bits: int
    """Bits of one number in the file; for a palette, those of an index."""
    photometric: Photometric
    alpha: tuple[int, ...] = ()
    """Which samples are opacity."""
    orientation: int = 1
    """The Exif tag 274, from 1 to 8."""
    nodata: float | None = None
    """The number that marks pixels without a value, in GDAL's TIFF tag 42113."""
    palette: npt.NDArray[np.float32] | None = None
    """(entries, 3): red, green and blue of each index, from 0 to 1."""
    stored_together: int | None = None
    """Stored rows that only together can be decoded, such as those of a strip; None for all."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the upright image."""
        rows, columns = self.stored
        return (columns, rows) if self.orientation in LYING else (rows, columns)

    @property
    def rows_at_once(self) -> int:
        """Rows of the upright image that are decoded together, at its top and each time as many
        below.
        """
        height = self.size[0]
        return min(self.stored_together or height, height) if self.orientation == 1 else height

    def bands(self) -> Iterator[Window]:
        """Windows over the whole width that cover the upright image, few pixels at a time.

        Each is decoded without the others; a file that is decoded whole has one.
        """
        height, width = self.size
        step = self.rows_at_once * max(PIXELS_AT_ONCE // (self.rows_at_once * width), 1)
        for top in range(0, height, step):
            yield Window(top, 0, min(step, height - top), width)

    @property
    def channels(self) -> int:
        """Channels of the image: 1 for grey, 3 for colour, or as many as there are samples; alpha
        is none.
        """
        values = self.samples - len(self.alpha)
        if self.photometric is Photometric.PALETTE:
            return 3
        return 3 if values == 4 and self.photometric is Photometric.CMYK else values

    @property
    def palette_colours(self) -> list[tuple[int, int, int]]:
        """Red, green and blue of each index, from 0 to 255; none without a palette."""
        if self.palette is None:
            return []
        return [
            (red, green, blue)
            for red, green, blue in (255 * self.palette).round().astype(int).tolist()
        ]

    @property
    def white(self) -> float | None:
        """The stored number that is white; None where the file does not tell.

        Numbers of under 16 bits use them in full, and so do colours of any depth. Grey of 16 bits
        may come from a camera of 12, and signed numbers and floats have no white of their own.
        """
        coloured = COLOURED.get(self.photometric) == self.samples - len(self.alpha)
        if self.dtype.kind != "u" or (self.bits >= 16 and not coloured):
            return None
        return float(2**self.bits - 1)

    @property
    def may_lack_values(self) -> bool:
        """Whether pixels can be without a value by what the file says."""
        return self.dtype.kind == "f" or self.nodata is not None
