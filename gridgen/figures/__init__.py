"""Figures of numbers, drawn by matplotlib and written as files. Pictures of grids: `render`."""

import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from gridgen.figures.palette import LIGHT as LIGHT
from gridgen.files import write_file as write_file
from gridgen.names import escaped as escaped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def new_figure(width: float, height: float, parts: int = 1) -> "tuple[Figure, list[Axes]]":
    """A figure of `width` x `height` inches with `parts` axes side by side."""
    # Imported here, since it takes half a second that no other command needs. A bare Figure, not
    # one of pyplot, which would keep every figure alive and look for a display.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = list(figure.subplots(1, parts, squeeze=False).flat)
    for axis in axes:
        axis.grid(color=LIGHT.line, linewidth=0.7)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def legend_beside(axis: "Axes") -> None:
    """Put the legend to the right of the axes, where it covers no point."""
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))


def figure_png(figure: "Figure") -> bytes:
    """A matplotlib figure as the bytes of a PNG file."""
    _show_names(figure)
    drawn = BytesIO()
    with warnings.catch_warnings():
        # Of names: a box in the picture says the same, without a line for every character.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(drawn, format="png", dpi=130)
    return drawn.getvalue()


def _show_names(figure: "Figure") -> None:
    """Have all texts drawn as they are written, for names of folders and classes are among them."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        # Hidden characters, some of which fonts refuse, such as halves of a surrogate pair.
        text.set_text(escaped(text.get_text()))
        # Otherwise `$\frac$` would be read as a formula, and end in an error.
        text.set_parse_math(False)
    axes = [axis for each in figure.axes for axis in (each.xaxis, each.yaxis)]
    for axis in axes:
        # On a logarithmic axis matplotlib itself writes powers of ten as formulas.
        for label in axis.get_ticklabels(which="both") if axis.get_scale() == "log" else ():
            label.set_parse_math(True)


def save_figure(figure: "Figure", path: Path) -> Path:
    """Write a matplotlib figure as PNG."""
    return write_file(path, figure_png(figure))


def figure_svg(figure: "Figure", name: str) -> bytes:
    """A matplotlib figure as the bytes of an SVG file, the same each time for the same `name`."""
    import matplotlib

    drawn = BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()


def save_svg(figure: "Figure", path: Path) -> Path:
    """Write a matplotlib figure as SVG, the same each time."""
    return write_file(path, figure_svg(figure, path.stem))
