"""Everything around the maps: title, names of streams, input, stem, head, prediction, legend."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import graphviz

from gridgen.grid import FeatureMap, Grid
from gridgen.grid.layers import Layers
from gridgen.names import escaped
from gridgen.render import style
from gridgen.render.canvas import SMALL, add_words
from gridgen.render.folding import Fold
from gridgen.render.routes import Maps, route
from gridgen.render.style import columns_wide, inches, last_column, last_stream, position

# In columns: the sample line, the space after it, the space after an entry.
SAMPLE, MARGIN, GAP = 0.45, 0.1, 0.3
ABOVE_ARCS = 0.36
"""Rows that a heading is raised by, so that arcs and the numbers on them lie below it."""
LOOKS = (style.ONLY_A, style.ONLY_B)

LegendEntry = tuple[str, style.Look | str]
"""A meaning, and the line or the fill of a map that has it."""
Route = tuple[FeatureMap | str, ...]
"""Places that arrows join, each a map or a name beside the maps."""


@dataclass(frozen=True)
class Heading:
    """What stands above a picture: its title, and facts in a line."""

    title: str
    facts: str

    def add(self, canvas: graphviz.Digraph, middle: float, row: float) -> None:
        """Add both, the facts in a row and the title above, as they are: Graphviz would read
        backslashes and names of characters.
        """
        title, facts = (
            graphviz.escape(escaped(each)).replace("&", "&amp;")
            for each in (self.title, self.facts)
        )
        add_words(canvas, "title", title, middle, row - 0.33, size=18, colour=style.INK)
        add_words(canvas, "facts", facts, middle, row, size=11)


def annotate(
    canvas: graphviz.Digraph,
    grids: Sequence[Grid],
    heading: Heading | None,
    *,
    sizes: dict[int, str],
    legend: Sequence[LegendEntry],
    columns: Sequence[str] = (),
) -> None:
    """Add everything around the maps of one grid, or of two: ends, names, legend and title.

    `sizes` are those of the streams' maps, `columns` the names of the columns.
    """
    _add_ends(canvas, grids, last_column(*grids))
    lift = ABOVE_ARCS if _arched(grids) else 0.0
    for column, name in enumerate(columns):
        add_words(canvas, f"column_{column}", f"{name} {column}", column, -0.62 - lift)
    _add_stream_names(canvas, grids[0], sizes)
    fold = Fold.of(grids)
    middle = fold.middle if fold else last_column(*grids) / 2
    _add_legend(canvas, legend, middle, last_stream(*grids) + 0.75)
    if heading:
        heading.add(canvas, middle, (-1.02 if columns else -0.75) - lift)


def _arched(grids: Sequence[Grid]) -> bool:
    """Whether connections may go in arcs above the first row."""
    links = [(each.source, each.target) for grid in grids for each in grid.full]
    head = last_column(*grids) + 1
    links += [(grid.output, FeatureMap(grid.output.stream, head)) for grid in grids]
    return any(a.stream == b.stream == 0 and b.column - a.column > 1 for a, b in links)


def _add_ends(canvas: graphviz.Digraph, grids: Sequence[Grid], last: int) -> None:
    """Input, stem, head and prediction of one grid, or of two, beside columns 0..`last`.

    A stem or head without layers has no box. A difference between two grids is written for both,
    and coloured by the grid it belongs to.
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
    for routes in ([_in(grid) for grid in grids], [_out(grid) for grid in grids]):
        for stops, look in _coloured(routes):
            _add_arrows(canvas, stops, look, places, frozenset(taken))


def _in(grid: Grid) -> Route:
    return ("input", "stem", grid.input) if grid.stem else ("input", grid.input)


def _out(grid: Grid) -> Route:
    return (grid.output, "head", "prediction") if grid.head else (grid.output, "prediction")


def _coloured(routes: list[Route]) -> list[tuple[Route, style.Look]]:
    """Each route once, in black where it is the same in all grids."""
    if len(set(routes)) == 1:
        return [(routes[0], style.END)]
    return list(zip(routes, LOOKS, strict=True))


def _add_arrows(
    canvas: graphviz.Digraph,
    stops: Route,
    look: style.Look,
    places: dict[str, FeatureMap],
    taken: Maps,
) -> None:
    """Arrows from place to place, around what lies between."""
    for source, target in pairwise(stops):
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
    looks = {"shape": "plaintext", "style": "", "width": "0.9"}
    canvas.node(name, label=f"{name}\\n{label}", tooltip=name, pos=place, **looks)


def _each(numbers: Iterable[int]) -> str:
    """The numbers that occur, in order."""
    return ", ".join(dict.fromkeys(map(str, numbers)))


def _add_stream_names(canvas: graphviz.Digraph, grid: Grid, sizes: dict[int, str]) -> None:
    """Name and size of each stream, left of its row. Side features enter from there."""
    sides = {side.target.stream: side for side in grid.sides}
    for stream, size in sizes.items():
        # The stem stands left of its row, so that name goes below it.
        row = stream + 0.42 if stream == grid.input.stream else stream
        side = sides.get(stream)
        entering = f"\\n+ {side.channels} ch" if side else ""
        add_words(canvas, f"stream_{stream}", f"stream {stream}\\n{size}{entering}", -1.0, row)
        if side:
            tooltip = f"features of {side.channels} channels enter at {side.target}"
            ends = f"stream_{stream}", side.target.name
            canvas.edge(*ends, tooltip=tooltip, **style.END.attributes)


def _add_legend(
    canvas: graphviz.Digraph, entries: Sequence[LegendEntry], middle: float, row: float
) -> None:
    """A sample of each line in use with its meaning, in one row."""
    widths = [SAMPLE + MARGIN + columns_wide(label, SMALL) + GAP for label, _ in entries]
    column = middle - (sum(widths) - GAP) / 2
    for index, ((label, look), width) in enumerate(zip(entries, widths, strict=True)):
        _add_sample(canvas, f"legend_{index}", look, column, row)
        add_words(canvas, f"legend_{index}", label, column + SAMPLE + MARGIN, row, left=True)
        column += width


def _add_sample(
    canvas: graphviz.Digraph, name: str, look: style.Look | str, column: float, row: float
) -> None:
    """An arrow between two invisible points, or a small map."""
    if isinstance(look, str):
        centre = position(column + SAMPLE - style.MAP_WIDTH / 4 / style.COLUMN_STEP, row)
        size = {"width": inches(style.MAP_WIDTH / 2), "height": inches(style.MAP_HEIGHT / 2)}
        canvas.node(f"{name}_map", label="", fillcolor=look, tooltip=name, pos=centre, **size)
        return
    ends = {f"{name}_from": column, f"{name}_to": column + SAMPLE}
    # Graphviz draws arrows between nodes only, so a sample needs two that nobody sees.
    looks = {"shape": "point", "style": "invis", "width": "0.01", "height": "0.01"}
    for end, place in ends.items():
        canvas.node(end, pos=position(place, row), **looks)
    canvas.edge(*ends, tooltip=name, **look.attributes)
