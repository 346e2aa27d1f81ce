"""The words around a picture: title above, legend below."""

import graphviz

from gridgen.analysis import count_paths
from gridgen.grid import Connection, Grid
from gridgen.render import style
from gridgen.render.layout import last_column, last_stream, position

# In columns: the sample line, the space after it, the space after an entry.
SAMPLE, MARGIN, GAP = 0.45, 0.1, 0.3
SMALL = 10  # points


def add_title(canvas: graphviz.Digraph, grid: Grid) -> None:
    """Topology, shape, connections kept and paths, centred above the grid."""
    kept, full = len(grid.connections), len(grid.full.connections)
    share = f"{kept} of {full}" if kept < full else f"{full}"
    paths = count_paths(grid)
    facts = f"{grid.spec.shape} · {share} connections · {paths:,} path{'s' if paths != 1 else ''}"
    middle = last_column(grid) / 2
    _words(canvas, "title", grid.spec.title, middle, -1.35, size=18, colour=style.INK)
    _words(canvas, "facts", facts, middle, -1.02, size=11)


def add_legend(canvas: graphviz.Digraph, grid: Grid) -> None:
    """A line of each colour in use, and what it means."""
    row = last_stream(grid) + 0.75
    entries = _entries(grid)
    widths = [SAMPLE + MARGIN + _columns_wide(label, SMALL) + GAP for label, _, _ in entries]
    column = last_column(grid) / 2 - (sum(widths) - GAP) / 2
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
    dash = {"style": "dashed"} if line == style.SEEN_LINE else {}
    canvas.edge(ends[0][0], ends[1][0], color=colour, penwidth=str(line), tooltip=name, **dash)


def _entries(grid: Grid) -> list[tuple[str, str, float]]:
    """Label, colour and line of each kind of connection in the picture."""
    entries = []
    for kind, colour in style.COLOURS.items():
        of_kind = [connection for connection in grid if connection.kind == kind]
        units = [connection for connection in of_kind if connection.unit]
        if units:
            entries.append((_label(kind, units), colour, style.LINE))
        if len(units) < len(of_kind):
            entries.append((f"{kind}, as it is", colour, style.GHOST_LINE))
    if any(connection.reads for connection in grid):
        entries.append(("looked at", style.FAINT, style.SEEN_LINE))
    if len(grid.connections) < len(grid.full.connections):
        entries.append(("dropped", style.GHOST, style.GHOST_LINE))
    return entries


def _label(kind: str, connections: list[Connection]) -> str:
    """What the connections of a kind are, and what holds for all of them."""
    residual = all(connection.shortcut is not None for connection in connections)
    dropout = {connection.dropout for connection in connections}
    label = kind + (", residual" if residual else "")
    return label + "".join(f"\\ntotal dropout {share:g}" for share in dropout if share)


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
