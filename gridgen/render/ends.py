"""What stands beside the maps: input and stem on the left, head and prediction on the right."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import graphviz

from gridgen.grid import FeatureMap, Grid
from gridgen.grid.layers import Layers
from gridgen.render import style
from gridgen.render.canvas import Maps, add_words
from gridgen.render.layout import position
from gridgen.render.routes import route

LOOKS = (style.ONLY_A, style.ONLY_B)


def add_ends(canvas: graphviz.Digraph, grids: Sequence[Grid], last: int) -> None:
    """Input, stem, head and prediction of one grid, or of two, beside columns 0..`last`.

    A stem or head without layers has no box. Of two grids, what differs is written for both, and
    coloured by whose it is.
    """
    enter, leave = grids[0].input.stream, grids[0].output.stream
    places = {
        "input": FeatureMap(enter, -2),
        "stem": FeatureMap(enter, -1),
        "head": FeatureMap(leave, last + 1),
        "prediction": FeatureMap(leave, last + 2),
    }
    channels = f"{_each(grid.spec.in_channels for grid in grids)} ch"
    classes = f"{_each(grid.spec.classes for grid in grids)} classes"
    _add_outside(canvas, "input", channels, position(-1.9, enter))
    _add_outside(canvas, "prediction", classes, position(last + 2, leave))
    _add_box(canvas, "stem", [grid.stem for grid in grids], places["stem"])
    _add_box(canvas, "head", [grid.head for grid in grids], places["head"])
    taken = {feature_map for grid in grids for feature_map in grid.full.dag}
    taken |= {places["stem"] for grid in grids if grid.stem}
    taken |= {places["head"] for grid in grids if grid.head}
    for ways in ([_in(grid) for grid in grids], [_out(grid) for grid in grids]):
        for way, look in _coloured(ways):
            _add_way(canvas, way, look, places, frozenset(taken))


def add_stream_names(canvas: graphviz.Digraph, grid: Grid, sizes: dict[int, str]) -> None:
    """What each row is; that of the stem stands below it. Side features enter from there."""
    sides = {side.target.stream: side for side in grid.sides}
    for stream, size in sizes.items():
        row = stream + 0.42 if stream == grid.input.stream else stream
        side = sides.get(stream)
        entering = f"\\n+ {side.channels} ch" if side else ""
        add_words(canvas, f"stream_{stream}", f"stream {stream}\\n{size}{entering}", -1.0, row)
        if side:
            tooltip = f"features of {side.channels} channels enter at {side.target}"
            ends = f"stream_{stream}", side.target.name
            canvas.edge(*ends, tooltip=tooltip, **style.END.attributes)


Way = tuple[FeatureMap | str, ...]


def _in(grid: Grid) -> Way:
    return ("input", "stem", grid.input) if grid.stem else ("input", grid.input)


def _out(grid: Grid) -> Way:
    return (grid.output, "head", "prediction") if grid.head else (grid.output, "prediction")


def _coloured(ways: list[Way]) -> list[tuple[Way, style.Look]]:
    """Each way once; in black where all grids go the same."""
    if len(set(ways)) == 1:
        return [(ways[0], style.END)]
    return list(zip(ways, LOOKS, strict=True))


def _add_way(
    canvas: graphviz.Digraph,
    way: Way,
    look: style.Look,
    places: dict[str, FeatureMap],
    taken: Maps,
) -> None:
    """Arrows from place to place, around what lies between."""
    for source, target in pairwise(way):
        names = [end.name if isinstance(end, FeatureMap) else end for end in (source, target)]
        ends = [end if isinstance(end, FeatureMap) else places[end] for end in (source, target)]
        path = route(ends[0], ends[1], taken, look.arrow)
        course = {"pos": path} if path else {}
        canvas.edge(*names, tooltip=" to ".join(names), **look.attributes, **course)


def _add_box(canvas: graphviz.Digraph, name: str, ends: list[Layers], place: FeatureMap) -> None:
    if not any(ends):
        return
    look = style.INK
    if not all(ends):
        look = LOOKS[0 if ends[0] else 1].colour
    elif len(set(ends)) > 1:
        look = style.CHANGED.colour
    canvas.node(name, tooltip=name, color=look, pos=position(place.column, place.stream))


def _add_outside(canvas: graphviz.Digraph, name: str, label: str, place: str) -> None:
    canvas.node(
        name,
        label=f"{name}\\n{label}",
        tooltip=name,
        pos=place,
        shape="plaintext",
        style="",
        width="0.9",
    )


def _each(numbers: Iterable[int]) -> str:
    """The numbers that occur, in order."""
    return ", ".join(dict.fromkeys(map(str, numbers)))
