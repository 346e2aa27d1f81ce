"""Images that are read from top to bottom, a few rows at a time."""

from dataclasses import dataclass
from typing import Protocol

import torch


@dataclass(frozen=True, eq=False)
class ImageRows:
    """Rows of an image that are in memory, or all of them."""

    levels: torch.Tensor
    """(channels, H, W), floating point."""
    valid: torch.Tensor | None = None
    """bool (H, W): false where a pixel has no value; None if all have one."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.levels.shape[1], self.levels.shape[2]

    @property
    def rows_at_once(self) -> int:
        """Any row is at hand without the others."""
        return 1

    def rows(self, top: int, bottom: int) -> "ImageRows":
        """The rows from `top` up to `bottom`; a view."""
        valid = None if self.valid is None else self.valid[top:bottom]
        return ImageRows(self.levels[:, top:bottom], valid)

    def followed_by(self, below: "ImageRows") -> "ImageRows":
        """These rows with those below them; a copy."""
        levels = torch.cat([self.levels, below.levels], dim=1)
        if self.valid is None and below.valid is None:
            return ImageRows(levels)
        return ImageRows(levels, torch.cat([_mask(self), _mask(below)]))


def _mask(rows: ImageRows) -> torch.Tensor:
    return torch.ones(rows.size, dtype=torch.bool) if rows.valid is None else rows.valid


class RowSource(Protocol):
    """An image whose rows are asked for from top to bottom, each once."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""

    @property
    def rows_at_once(self) -> int:
        """Rows that it costs no more to read together than one of them; whoever reads begins and
        ends at a multiple of it.
        """

    def rows(self, top: int, bottom: int) -> ImageRows:
        """The rows from `top` up to `bottom`."""
