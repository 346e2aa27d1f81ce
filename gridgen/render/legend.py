"""The words around a picture: title above, legend below."""

import graphviz

from gridgen.analysis import count_paths
from gridgen.grid import Grid
from gridgen.render import style
from gridgen.render.layout import position

# In columns: the sample line, the space after it, the space after an entry.
SAMPLE, MARGIN, GAP = 0.45, 0.1, 0.3
SMALL = 10  # points


def add_title(canvas: graphviz.Digraph, grid: Grid) -> None:
    """Topology, shape, connections kept and paths, centred above the grid."""
    kept, full = len(grid.connections), len(grid.full.connections)
    paths = count_paths(grid)
    facts = (
        f"{grid.spec.shape} · {kept} of {full} connections · "
        f"{paths:,} path{'s' if paths != 1 else ''}"
    )
    middle = (grid.output.column) / 2
    _words(canvas, "title", grid.spec.title, middle, -1.35, size=18, colour=style.INK)
    _words(canvas, "facts", facts, middle, -1.02, size=11)


def add_legend(canvas: graphviz.Digraph, grid: Grid) -> None:
    """A line of each colour in use, and what it means."""
    row = grid.spec.streams - 0.25
    entries = _entries(grid)
    widths = [SAMPLE + MARGIN + _columns_wide(label, SMALL) + GAP for label, _, _ in entries]
    column = grid.output.column / 2 - (sum(widths) - GAP) / 2
    for index, ((label, colour, line), width) in enumerate(zip(entries, widths, strict=True)):
        _add_sample(canvas, f"legend_{index}", colour, line, column, row)
        _words(canvas, f"legend_{index}", label, column + SAMPLE + MARGIN, row, left=True)
        column += width


def _add_sample(
    canvas: graphviz.Digraph, name: str, colour: str, line: float, column: float, row: float
) -> None:
    """An arrow between two points that are not seen."""
    ends = [(f"{name}_from", column), (f"{name}_to", column + SAMPLE)]
    for end, place in ends:
        canvas.node(
            end, shape="point", style="invis", width="0.01", height="0.01", pos=position(place, row)
        )
    canvas.edge(ends[0][0], ends[1][0], color=colour, penwidth=str(line), tooltip=name)


def _entries(grid: Grid) -> list[tuple[str, str, float]]:
    residual, dropout = grid.spec.residual, grid.spec.total_dropout
    lateral = "lateral" + (", residual" if residual.lateral else "")
    if dropout:
        lateral += f"\\ntotal dropout {dropout:g}"
    vertical = ", residual" if residual.vertical else ""
    kinds = {connection.kind for connection in grid.full}
    entries = [
        (label, style.COLOURS[kind], style.LINE)
        for kind, label in (
            ("lateral", lateral),
            ("subsampling", "subsampling" + vertical),
            ("upsampling", "upsampling" + vertical),
        )
        if kind in kinds
    ]
    if len(grid.connections) < len(grid.full.connections):
        entries.append(("dropped", style.GHOST, style.GHOST_LINE))
    return entries


def _words(
    canvas: graphviz.Digraph,
    name: str,
    label: str,
    column: float,
    row: float,
    *,
    size: int = SMALL,
    colour: str = style.FAINT,
    left: bool = False,
) -> None:
    """Text centred at a place, or beginning about there with `left`."""
    shift = _columns_wide(label, size) / 2 if left else 0.0
    canvas.node(
        name,
        label=label.replace("\\n", "\\l") + "\\l" if left else label,
        shape="plaintext",
        style="",
        fixedsize="false",
        width="0.1",
        fontsize=str(size),
        fontcolor=colour,
        tooltip=label.replace("\\n", ", "),
        pos=position(column + shift, row),
    )


def _columns_wide(label: str, size: int) -> float:
    """About how wide the longest line of `label` is, in columns."""
    longest = max(len(line) for line in label.split("\\n"))
    return longest * style.LETTER * size / style.COLUMN_STEP
