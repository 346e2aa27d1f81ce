"""The words around a picture: title above, legend below."""

from collections.abc import Sequence

import graphviz

from gridgen.render import style
from gridgen.render.canvas import SMALL, add_words
from gridgen.render.layout import columns_wide, inches, position

# In columns: the sample line, the space after it, the space after an entry.
SAMPLE, MARGIN, GAP = 0.45, 0.1, 0.3

Entry = tuple[str, style.Look | str]
"""What a line looks like, or how a map is filled, and what that means."""


def add_title(canvas: graphviz.Digraph, title: str, facts: str, middle: float) -> None:
    """A title and a line of facts, centred above the grid."""
    add_words(canvas, "title", title, middle, -1.35, size=18, colour=style.INK)
    add_words(canvas, "facts", facts, middle, -1.02, size=11)


def add_legend(
    canvas: graphviz.Digraph, entries: Sequence[Entry], middle: float, row: float
) -> None:
    """A sample of each line in use, and what it means."""
    widths = [SAMPLE + MARGIN + columns_wide(label, SMALL) + GAP for label, _ in entries]
    column = middle - (sum(widths) - GAP) / 2
    for index, ((label, look), width) in enumerate(zip(entries, widths, strict=True)):
        _add_sample(canvas, f"legend_{index}", look, column, row)
        add_words(canvas, f"legend_{index}", label, column + SAMPLE + MARGIN, row, left=True)
        column += width


def _add_sample(
    canvas: graphviz.Digraph, name: str, look: style.Look | str, column: float, row: float
) -> None:
    """An arrow between two points that are not seen, or a small map."""
    if isinstance(look, str):
        centre = position(column + SAMPLE / 2, row)
        size = {"width": inches(style.MAP_WIDTH / 2), "height": inches(style.MAP_HEIGHT / 2)}
        canvas.node(f"{name}_map", label="", fillcolor=look, tooltip=name, pos=centre, **size)
        return
    ends = [(f"{name}_from", column), (f"{name}_to", column + SAMPLE)]
    for end, place in ends:
        canvas.node(
            end, shape="point", style="invis", width="0.01", height="0.01", pos=position(place, row)
        )
    canvas.edge(ends[0][0], ends[1][0], tooltip=name, **look.attributes)
