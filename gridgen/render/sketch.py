"""A grid as a small SVG drawing of a few hundred bytes, for pages that show hundreds of grids."""

from dataclasses import dataclass

from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.render.style import COLOURS, GHOST

STEP_X, STEP_Y, EDGE = 22, 18, 8


@dataclass(frozen=True)
class Sketch:
    """The drawing: its size, and a path of an SVG for each colour. Widths are not in it."""

    width: int
    height: int
    paths: tuple[tuple[str, str], ...]
    maps: str


def sketch(grid: Grid) -> Sketch:
    """Maps as dots where the paper has them, connections as lines in the paper's colours.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> sketch(grid).maps
    'M8 8h.01M8 26h.01M30 8h.01M30 26h.01'
    """
    kept = {connection.name for connection in grid}
    courses = dict.fromkeys((GHOST, *COLOURS.values()), "")
    for connection in grid.full:
        dropped = connection.name not in kept
        courses[GHOST if dropped else COLOURS[connection.kind]] += _course(connection)
    columns = max(each.column for each in grid.full.maps)
    streams = max(each.stream for each in grid.full.maps)
    places = (_place(each) for each in sorted(grid.maps, key=lambda m: (m.column, m.stream)))
    return Sketch(
        width=2 * EDGE + columns * STEP_X,
        height=2 * EDGE + streams * STEP_Y,
        paths=tuple((colour, course) for colour, course in courses.items() if course),
        maps="".join(f"M{x} {y}h.01" for x, y in places),
    )


def _place(feature_map: FeatureMap) -> tuple[int, int]:
    return EDGE + feature_map.column * STEP_X, EDGE + feature_map.stream * STEP_Y


def _course(connection: Connection) -> str:
    """A straight line to a neighbour, and otherwise an arc beside the maps between."""
    (x, y), (to_x, to_y) = _place(connection.source), _place(connection.target)
    across, down = abs(to_x - x) // STEP_X, abs(to_y - y) // STEP_Y
    if max(across, down) <= 1:
        return f"M{x} {y}L{to_x} {to_y}"
    middle_x, middle_y = (x + to_x) // 2, (y + to_y) // 2
    rise = 2 * EDGE - 2
    bend = (middle_x, middle_y - rise) if across >= down else (middle_x + rise, middle_y)
    return f"M{x} {y}Q{bend[0]} {bend[1]} {to_x} {to_y}"
