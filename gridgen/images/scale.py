"""How numbers become levels from 0 to 1, where a dataset knows more than its files say."""

import math
from dataclasses import dataclass
from typing import Self

from pydantic import FiniteFloat, model_validator

from gridgen.errors import SpecError
from gridgen.spec import Document


@dataclass(frozen=True)
class PixelScale:
    """What becomes 1, what becomes 0, and what is no value; None where the file decides.

    Errors: `SpecError`, with the field, for a white that is not above black.
    """

    white: float | None = None
    black: float | None = None
    nodata: float | None = None

    def __post_init__(self) -> None:
        for field in ("white", "black"):
            value = getattr(self, field)
            if value is not None and not math.isfinite(value):
                raise SpecError(f"{value} is not a number", (field,))
        if self.black is not None and self.white is None:
            raise SpecError("black needs a white beside it; add white", ("black",))
        if self.white is not None and self.white <= (self.black or 0):
            fact = f"{self.white:g} is not more than black, which is {self.black or 0:g}"
            raise SpecError(fact, ("white",))


FILE_SCALE = PixelScale()
"""The scale of files of which nothing more is known."""


class ScaleFields(Document):
    """The fields of a scale, in each document that holds one."""

    white: FiniteFloat | None = None
    """The number that becomes 1 in images of more than 8 bits; 4095 of a 12-bit camera. Without it
    each channel of each file is stretched on its own (`read_image`).
    """
    black: FiniteFloat | None = None
    """The number that becomes 0 where `white` is given, 0 if left out; -1000 of a CT."""
    nodata: FiniteFloat | None = None
    """The number of pixels without a value. They are 0 in images, and ignored in labels."""

    @model_validator(mode="after")
    def _is_a_scale(self) -> Self:
        self.scale  # noqa: B018 - asked for its errors
        return self

    @property
    def scale(self) -> PixelScale:
        """How the numbers of images become levels."""
        return PixelScale(self.white, self.black, self.nodata)
