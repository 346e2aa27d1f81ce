"""Where things stand: columns and rows of the grid to Graphviz positions."""

from fractions import Fraction

from gridgen.grid import Grid
from gridgen.grid.tracing import trace
from gridgen.render import style


def point(column: float, row: float) -> tuple[float, float]:
    """Where a place of the grid lies, in points. Rows count downwards, points upwards."""
    return column * style.COLUMN_STEP, -row * style.STREAM_STEP


def position(column: float, row: float) -> str:
    """A Graphviz position, pinned."""
    x, y = point(column, row)
    return f"{x:g},{y:g}!"


def columns_wide(label: str, size: int) -> float:
    """About how wide the longest line of `label` is in letters of `size` points, in columns."""
    longest = max(len(line) for line in label.split("\\n"))
    return longest * style.LETTER * size / style.COLUMN_STEP


def inches(points: float) -> str:
    """Graphviz sizes nodes in inches."""
    return f"{points / 72:.3f}"


def last_column(grid: Grid) -> int:
    """Index of the rightmost column, dropped maps included."""
    return max(feature_map.column for feature_map in grid.full.dag)


def last_stream(grid: Grid) -> int:
    """Index of the lowest stream, dropped maps included."""
    return max(feature_map.stream for feature_map in grid.full.dag)


def stream_sizes(grid: Grid) -> dict[int, str]:
    """The size of each stream's maps: a share of the image's, or fixed where it is that."""
    side = grid.spec.least
    small, large = (trace(grid, (height, height)).shapes for height in (side, 2 * side))
    sizes = {}
    for feature_map, (_, height, _) in sorted(small.items()):
        sizes[feature_map.stream] = _size(height, large[feature_map][1], side)
    return sizes


def _size(height: int, twice: int, side: int) -> str:
    """How large a map is that has `height` rows of an image's `side`, and `twice` of 2 sides."""
    share = Fraction(height, side)
    if twice == 2 * height:
        return f"{share.numerator}/{share.denominator}"
    return f"{height}x{height}" if twice == height else f"{height}x{height} of {side}"
