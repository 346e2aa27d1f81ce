"""What stands beside the maps: input and stem on the left, head and prediction on the right."""

from collections.abc import Iterable, Sequence

import graphviz

from gridgen.grid import FeatureMap, Grid
from gridgen.render import style
from gridgen.render.canvas import add_words
from gridgen.render.layout import position
from gridgen.render.routes import route

Drawn = tuple[Grid, style.Look]


def add_ends(canvas: graphviz.Digraph, drawn: Sequence[Drawn], last: int) -> None:
    """Input, stem, head and prediction of grids that share columns 0..`last`.

    A stem or head without layers has no box; what two grids differ in is written for both.
    """
    grids = [grid for grid, _ in drawn]
    channels = _both(grid.spec.in_channels for grid in grids)
    classes = _both(grid.spec.classes for grid in grids)
    enter, leave = grids[0].input.stream, grids[0].output.stream
    stem, head = any(grid.stem for grid in grids), any(grid.head for grid in grids)
    _add_outside(canvas, "input", f"{channels} ch", -1.9, enter)
    _add_outside(canvas, "prediction", f"{classes} classes", last + 2, leave)
    for name, column, row in [("stem", -1, enter)] * stem + [("head", last + 1, leave)] * head:
        canvas.node(name, tooltip=name, pos=position(column, row))
    if stem:
        _add_arrow(canvas, "input", "stem", style.END)
    if head:
        _add_arrow(canvas, "head", "prediction", style.END)
    maps = frozenset(feature_map for grid in grids for feature_map in grid.full.dag)
    for grid, look in {(grid.input, grid.output): (grid, look) for grid, look in drawn}.values():
        end = FeatureMap(leave, last + 1)
        _add_arrow(canvas, "stem" if stem else "input", grid.input.name, look)
        _add_arrow(
            canvas,
            grid.output.name,
            "head" if head else "prediction",
            look,
            route(grid.output, end, maps, look.arrow),
        )


def add_stream_names(canvas: graphviz.Digraph, grid: Grid, sizes: dict[int, str]) -> None:
    """What each row is; that of the stem stands below it."""
    for stream, size in sizes.items():
        row = stream + 0.42 if stream == grid.input.stream else stream
        add_words(canvas, f"stream_{stream}", f"stream {stream}\\n{size}", -1.0, row)


def _add_outside(
    canvas: graphviz.Digraph, name: str, label: str, column: float, row: float
) -> None:
    canvas.node(
        name,
        label=f"{name}\\n{label}",
        tooltip=name,
        pos=position(column, row),
        shape="plaintext",
        style="",
        width="0.9",
    )


def _add_arrow(
    canvas: graphviz.Digraph, source: str, target: str, look: style.Look, path: str | None = None
) -> None:
    course = {"pos": path} if path else {}
    canvas.edge(source, target, tooltip=f"{source} to {target}", **look.attributes, **course)


def _both(numbers: Iterable[int]) -> str:
    return ", ".join(dict.fromkeys(map(str, numbers)))
