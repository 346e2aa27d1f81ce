"""The words around a picture: title above, legend below."""

import graphviz

from gridgen.analysis import count_paths
from gridgen.grid import Grid
from gridgen.grid.topologies import topology_name
from gridgen.render import style
from gridgen.render.layout import position

SAMPLE = 0.45
ENTRY = 1.7


def add_title(canvas: graphviz.Digraph, grid: Grid) -> None:
    """Topology, shape, connections kept and paths, centred above the grid."""
    kept, full = len(grid.connections), len(grid.full.connections)
    paths = count_paths(grid)
    facts = (
        f"{grid.spec.shape} · {kept} of {full} connections · "
        f"{paths:,} path{'s' if paths != 1 else ''}"
    )
    middle = (grid.output.column) / 2
    _words(canvas, "title", topology_name(grid.spec), middle, -1.35, size=18, colour=style.INK)
    _words(canvas, "facts", facts, middle, -1.02, size=11)


def add_legend(canvas: graphviz.Digraph, grid: Grid) -> None:
    """A line of each colour in use, and what it means."""
    row = grid.spec.streams - 0.25
    entries = _entries(grid)
    start = grid.output.column / 2 - ENTRY * len(entries) / 2
    for index, (label, colour, width) in enumerate(entries):
        column = start + index * ENTRY
        ends = [f"legend_{index}_{end}" for end in ("from", "to")]
        for end, shift in zip(ends, (0.0, SAMPLE), strict=True):
            canvas.node(
                end,
                shape="point",
                style="invis",
                width="0.01",
                height="0.01",
                pos=position(column + shift, row),
            )
        canvas.edge(*ends, color=colour, penwidth=str(width), tooltip=label)
        _words(canvas, f"legend_{index}", label, column + SAMPLE + 0.08, row, left=True)


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
    size: int = 10,
    colour: str = style.FAINT,
    left: bool = False,
) -> None:
    """Text centred at a place, or beginning about there with `left`."""
    longest = max(len(line) for line in label.split("\\n"))
    shift = longest * style.LETTER * size / 2 / style.COLUMN_STEP if left else 0.0
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
