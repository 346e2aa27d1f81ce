"""Draws figure 4 of the paper with numbers: the share of the paths that each connection carries.

A share stands beside the line of its connection where there is free space.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from math import dist, hypot

import graphviz

from gridgen.analysis.paths import Paths, longest_path, paths as find_paths, shortest_path
from gridgen.arguments import checked
from gridgen.grid import Connection, FeatureMap, Grid, GridLike, as_grid
from gridgen.render import style
from gridgen.render.annotations import Heading, LegendEntry, annotate
from gridgen.render.canvas import add_connection, add_map, add_words, blank_canvas
from gridgen.render.folding import Fold
from gridgen.render.picture import Picture
from gridgen.render.routes import Maps, Point, leave, route
from gridgen.render.style import point, stream_sizes
from gridgen.text import number_text, share_text

SIZE = 9  # points
PLACES = (0.43, 0.5, 0.35, 0.6, 0.25)
"""Places along its line where a share may stand, the middle without the arrow's head first."""
MARGIN = 3  # points between a share and its line
APART = 6  # points between a share and what else there is
STEP = 4  # points from one point of a line, or of a box, to the next
CELL = 32  # points; a label fits into a square of this side


Marks = dict[str, style.Look]
"""Looks of the connections and maps on a marked path, by name."""


@checked
def draw_paths(grid: GridLike, *, title: bool = True) -> Picture:
    """The picture of `grid`, each connection the wider and darker the more paths pass it.

    As in figure 4 the shortest path is blue (its maps bold) and the longest orange (dashed); of
    several, the one that keeps to the upper or to the lower streams. Maps, and connections where
    there is room, say the share of the paths that pass them.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> "50%" in draw_paths(grid).source
    True
    """
    grid = as_grid(grid)
    found = find_paths(grid)
    canvas = blank_canvas()
    marks = _marks(grid)
    _add_connections(canvas, grid, found, marks)
    _add_maps(canvas, grid, found, marks)
    _add_shares(canvas, grid, {name: paths / found.total for name, paths in found.through.items()})
    heading = Heading(f"paths of {grid.spec.title}", _facts(grid, found)) if title else None
    sizes, legend = stream_sizes(grid.full), _entries(grid, found)
    annotate(canvas, [grid], heading, sizes=sizes, legend=legend)
    return Picture(canvas.source, Fold.of([grid]))


def _marks(grid: Grid) -> Marks:
    marks: Marks = {}
    # The shortest path comes second and so replaces the longest where both run.
    for path, mark in ((longest_path(grid), style.LONGEST), (shortest_path(grid), style.SHORTEST)):
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


def _look(share: float, mark: style.Look | None) -> style.Look:
    look = style.share_look(share)
    return look if mark is None else replace(look, colour=mark.colour, dashed=mark.dashed)


def _add_maps(canvas: graphviz.Digraph, grid: Grid, found: Paths, marks: Marks) -> None:
    for place in grid.full.maps:
        if place not in found.at:
            add_map(canvas, place, "", "dropped", color=style.GHOST, fillcolor="white")
            continue
        mark = marks.get(place.name)
        bold = {"style": "filled,rounded,dashed"} if mark and mark.dashed else {"penwidth": "2.6"}
        border = {"color": mark.colour, **bold} if mark else {}
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


def _entries(grid: Grid, found: Paths) -> list[LegendEntry]:
    """Legend entries of the two paths and of three shares."""
    short, long = min(found.lengths), max(found.lengths)
    entries: list[LegendEntry] = []
    if found.through:
        entries.append((f"shortest, {_one_of(found.lengths[short])}", _look(0.3, style.SHORTEST)))
    if long > short:
        entries.append((f"longest, {_one_of(found.lengths[long])}", _look(0.3, style.LONGEST)))
    entries += [(f"{share:.0%} of the paths", style.share_look(share)) for share in (1, 0.5, 0.1)]
    if len(grid.connections) < len(grid.full.connections):
        entries.append(("dropped", style.DROPPED))
    return entries


def _one_of(paths: int) -> str:
    return "the only one" if paths == 1 else f"one of {number_text(paths)}"


def _add_shares(canvas: graphviz.Digraph, grid: Grid, shares: Mapping[str, float]) -> None:
    """Add the share of each connection beside its line, the largest first.

    A share is left out if every place beside its line is crossed by a line or another share.
    """
    maps = frozenset(grid.full.dag)
    lines = {connection.name: list(_line(connection, maps)) for connection in grid.full}
    occupied = _Occupied()
    for name, line in lines.items():
        occupied.add(name, line)
    for place in maps:
        occupied.add(place.name, _filled(_place(place), style.MAP_WIDTH, style.MAP_HEIGHT))
    for name in sorted(shares, key=lambda name: -shares[name]):
        text = share_text(shares[name])
        size = (0.56 * len(text) + 0.34) * SIZE, SIZE  # of Helvetica's digits and its %
        thick = style.share_look(shares[name]).width
        places = _places_beside(lines[name], size[0] + thick, size[1] + thick)
        free = next((place for place in places if occupied.free(name, place, *size)), None)
        if free is not None:
            occupied.add(f"share_{name}", _filled(free, *size))
            column, row = free[0] / style.COLUMN_STEP, -free[1] / style.STREAM_STEP
            words = f"share_{name}", text, column, row
            add_words(canvas, *words, size=SIZE, colour=style.INK)


def _places_beside(line: list[Point], width: float, height: float) -> Iterator[Point]:
    """Centres of boxes that just clear a line, above it or right of it first."""
    last = len(line) - 1
    for part in PLACES:
        i = min(max(round(part * last), 1), last - 1)
        along = line[i + 1][0] - line[i - 1][0], line[i + 1][1] - line[i - 1][1]
        length = hypot(*along)
        across = -along[1] / length, along[0] / length
        halves = width / 2 + MARGIN, height / 2 + MARGIN
        far = sum(abs(part) * half for part, half in zip(across, halves, strict=True)) + 0.5
        first = 1 if (round(across[1], 3), across[0]) > (0, 0) else -1
        for side in (first, -first):
            yield line[i][0] + side * far * across[0], line[i][1] + side * far * across[1]


class _Occupied:
    """Points of lines and boxes with the name of their owner, found by the square they lie in."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[tuple[str, Point]]] = defaultdict(list)

    def add(self, name: str, points: Iterable[Point]) -> None:
        """Add points that `name` occupies."""
        for x, y in points:
            self._cells[int(x // CELL), int(y // CELL)].append((name, (x, y)))

    def free(self, name: str, centre: Point, width: float, height: float) -> bool:
        """True if a box and a margin around it are empty; the margin to `name` is smaller."""
        column, row = (int(part // CELL) for part in centre)
        near = product((column - 1, column, column + 1), (row - 1, row, row + 1))
        return not any(
            abs(x - centre[0]) <= width / 2 + margin and abs(y - centre[1]) <= height / 2 + margin
            for cell in near
            for other, (x, y) in self._cells.get(cell, ())
            for margin in (MARGIN if other == name else APART,)
        )


def _place(feature_map: FeatureMap) -> Point:
    return point(feature_map.column, feature_map.stream)


def _filled(centre: Point, width: float, height: float) -> Iterator[Point]:
    """A lattice of points that fills a box, its corners included."""
    across, up = (int(side // STEP) + 1 for side in (width, height))
    for i, j in product(range(across + 1), range(up + 1)):
        yield centre[0] + width * (i / across - 0.5), centre[1] + height * (j / up - 0.5)


def _line(connection: Connection, maps: Maps) -> Iterator[Point]:
    """Points along the line of a connection, from map to map."""
    path = route(connection.source, connection.target, maps, 0.5)
    if path is None:
        start, end = _place(connection.source), _place(connection.target)
        along = end[0] - start[0], end[1] - start[1]
        begin, finish = leave(start, along), leave(end, (-along[0], -along[1]))
        corners = [begin, begin, finish, finish]
    else:
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)][2:]
        corners = list(zip(numbers[::2], numbers[1::2], strict=True))
    parts = int(dist(corners[0], corners[-1]) // STEP) + 12
    return (_cubic(corners, part / parts) for part in range(parts + 1))


def _cubic(corners: list[Point], at: float) -> Point:
    """The point of a Bezier curve at parameter `at`, from 0 to 1."""
    back = 1 - at
    weights = back**3, 3 * back**2 * at, 3 * back * at**2, at**3
    x, y = (
        sum(weight * corner[axis] for weight, corner in zip(weights, corners, strict=True))
        for axis in (0, 1)
    )
    return x, y
