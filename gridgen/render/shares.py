"""What share of the paths a connection carries, written beside its line where there is room."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from math import dist, hypot

import graphviz

from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.render import style
from gridgen.render.canvas import Maps, add_words
from gridgen.render.layout import point
from gridgen.render.routes import Point, leave, route
from gridgen.text import share_text

SIZE = 9  # points
PLACES = (0.43, 0.5, 0.35, 0.6, 0.25)
"""Where along its line a share may stand: first in the middle of what the arrow's head leaves."""
MARGIN = 3  # points between a share and its line
APART = 6  # points between a share and what else there is
STEP = 4  # points from one point of a line, or of a box, to the next
CELL = 32  # points; a label fits into a square of this side


def add_shares(canvas: graphviz.Digraph, grid: Grid, shares: Mapping[str, float]) -> None:
    """Shares of 1 by connection, the largest first.

    One is left out where every place beside its line is crossed by a line or another share.
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
        places = _beside(lines[name], *size)
        free = next((place for place in places if occupied.free(name, place, *size)), None)
        if free is not None:
            occupied.add(f"share_{name}", _filled(free, *size))
            _add_share(canvas, name, text, free)


def _beside(line: list[Point], width: float, height: float) -> Iterator[Point]:
    """The centres of boxes that a line just passes, above it or right of it first."""
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
    """Points of lines and boxes, each with the name of what is there, found by their square."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[tuple[str, Point]]] = defaultdict(list)

    def add(self, name: str, points: Iterable[Point]) -> None:
        """What `name` occupies."""
        for x, y in points:
            self._cells[int(x // CELL), int(y // CELL)].append((name, (x, y)))

    def free(self, name: str, centre: Point, width: float, height: float) -> bool:
        """Whether a box holds nothing, nor a margin around it; `name` may be nearer than others."""
        column, row = (int(part // CELL) for part in centre)
        near = product((column - 1, column, column + 1), (row - 1, row, row + 1))
        return not any(
            abs(x - centre[0]) <= width / 2 + margin and abs(y - centre[1]) <= height / 2 + margin
            for cell in near
            for other, (x, y) in self._cells.get(cell, ())
            for margin in (MARGIN if other == name else APART,)
        )


def _add_share(canvas: graphviz.Digraph, name: str, text: str, centre: Point) -> None:
    column, row = centre[0] / style.COLUMN_STEP, -centre[1] / style.STREAM_STEP
    words = f"share_{name}", text, column, row
    add_words(canvas, *words, size=SIZE, colour=style.INK)


def _place(feature_map: FeatureMap) -> Point:
    return point(feature_map.column, feature_map.stream)


def _filled(centre: Point, width: float, height: float) -> Iterator[Point]:
    """Points of a box, its corners among them."""
    across, up = (int(side // STEP) + 1 for side in (width, height))
    for i, j in product(range(across + 1), range(up + 1)):
        yield centre[0] + width * (i / across - 0.5), centre[1] + height * (j / up - 0.5)


def _line(connection: Connection, maps: Maps) -> Iterator[Point]:
    """Points of the line of a connection, from map to map."""
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
    """The point of a Bezier curve at `at` of its way."""
    back = 1 - at
    weights = back**3, 3 * back**2 * at, 3 * back * at**2, at**3
    x, y = (
        sum(weight * corner[axis] for weight, corner in zip(weights, corners, strict=True))
        for axis in (0, 1)
    )
    return x, y
