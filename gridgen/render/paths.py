"""Figure 4 of the paper with numbers: what share of the paths each connection carries."""

from dataclasses import replace
from typing import NamedTuple

import graphviz

from gridgen.analysis.paths import Paths, longest_path, shortest_path
from gridgen.analysis.paths import paths as find_paths
from gridgen.grid import Grid
from gridgen.render import style
from gridgen.render.canvas import add_connection, add_map, blank_canvas
from gridgen.render.ends import add_ends, add_stream_names
from gridgen.render.layout import last_column, last_stream, stream_sizes
from gridgen.render.legend import Entry, add_legend, add_title
from gridgen.render.picture import Picture
from gridgen.render.shares import add_shares
from gridgen.text import number_text, share_text


class Mark(NamedTuple):
    """How one path stands out."""

    colour: str
    dashed: bool

    @property
    def border(self) -> dict[str, str]:
        """Of its maps: bold, or dashed."""
        if self.dashed:
            return {"color": self.colour, "style": "filled,rounded,dashed"}
        return {"color": self.colour, "penwidth": "2.6"}


SHORTEST, LONGEST = Mark(style.SHORTEST, dashed=False), Mark(style.LONGEST, dashed=True)  # figure 4
Marks = dict[str, Mark]


def draw_paths(grid: Grid) -> Picture:
    """The picture of `grid`, each connection the wider and darker the more paths pass it.

    As in figure 4 the shortest path is blue (its maps bold) and the longest orange (dashed); of
    several, the one that keeps to the upper or to the lower streams. Maps, and connections where
    there is room, say the share of the paths that pass them.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec.of(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> "50%" in draw_paths(grid).source
    True
    """
    found = find_paths(grid)
    canvas = blank_canvas()
    marks = _marks(grid)
    _add_connections(canvas, grid, found, marks)
    _add_maps(canvas, grid, found, marks)
    add_shares(canvas, grid, {name: paths / found.total for name, paths in found.through.items()})
    add_ends(canvas, [grid], last_column(grid))
    add_stream_names(canvas, grid, stream_sizes(grid.full))
    middle = last_column(grid) / 2
    add_legend(canvas, _entries(grid, found), middle, last_stream(grid) + 0.75)
    add_title(canvas, f"paths of {grid.spec.title}", _facts(grid, found), middle)
    return Picture(canvas.source)


def _marks(grid: Grid) -> Marks:
    """Which of the two a connection or map lies on, by name; the shortest where it lies on both."""
    marks: Marks = {}
    for path, mark in ((longest_path(grid), LONGEST), (shortest_path(grid), SHORTEST)):
        names = [grid.input.name, *(name for c in path for name in (c.name, c.target.name))]
        marks |= dict.fromkeys(names, mark)
    return marks


def _add_connections(canvas: graphviz.Digraph, grid: Grid, found: Paths, marks: Marks) -> None:
    maps = frozenset(grid.full.maps)
    for connection in grid.full:
        paths = found.through.get(connection.name)
        if paths is None:
            add_connection(canvas, connection, maps, style.DROPPED, " (dropped)")
            continue
        look = _look(paths / found.total, marks.get(connection.name))
        add_connection(canvas, connection, maps, look, f", {_paths(paths, found)}")


def _look(share: float, mark: Mark | None) -> style.Look:
    look = style.share_look(share)
    return look if mark is None else replace(look, colour=mark.colour, dashed=mark.dashed)


def _add_maps(canvas: graphviz.Digraph, grid: Grid, found: Paths, marks: Marks) -> None:
    for place in grid.full.maps:
        if place not in found.at:
            add_map(canvas, place, "", "dropped", color=style.GHOST, fillcolor="white")
            continue
        mark = marks.get(place.name)
        border = mark.border if mark else {}
        share = share_text(found.at[place] / found.total)
        add_map(canvas, place, share, _paths(found.at[place], found), **border)


def _paths(paths: int, found: Paths) -> str:
    plural = "" if paths == 1 else "s"
    return f"{number_text(paths)} path{plural} ({share_text(paths / found.total)})"


def _facts(grid: Grid, found: Paths) -> str:
    plural = "" if found.total == 1 else "s"
    short, long = min(found.lengths), max(found.lengths)
    span = f"{short}" if short == long else f"{short} to {long}"
    return f"{grid.spec.shape} · {number_text(found.total)} path{plural} of {span} connections"


def _entries(grid: Grid, found: Paths) -> list[Entry]:
    """The two paths, and three shares."""
    short, long = min(found.lengths), max(found.lengths)
    entries: list[Entry] = []
    if found.through:
        entries.append((f"shortest, {_one_of(found.lengths[short])}", _look(0.3, SHORTEST)))
    if long > short:
        entries.append((f"longest, {_one_of(found.lengths[long])}", _look(0.3, LONGEST)))
    entries += [(f"{share:.0%} of the paths", style.share_look(share)) for share in (1, 0.5, 0.1)]
    if len(grid.connections) < len(grid.full.connections):
        entries.append(("dropped", style.DROPPED))
    return entries


def _one_of(paths: int) -> str:
    return "the only one" if paths == 1 else f"one of {number_text(paths)}"
