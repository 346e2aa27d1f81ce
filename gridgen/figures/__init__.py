"""Figures of numbers, drawn by matplotlib and written as files. Pictures of grids: `render`."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from gridgen.files import write_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figure_png(figure: "Figure") -> bytes:
    """A matplotlib figure as the bytes of a PNG file."""
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=130)
    return drawn.getvalue()


def save_figure(figure: "Figure", path: Path) -> Path:
    """Write a matplotlib figure as PNG."""
    return write_file(path, figure_png(figure))
