"""How a picture looks and where things stand: colours, fonts, positions.

All lengths are in points (1/72 inch).
"""

from dataclasses import dataclass
from fractions import Fraction

from gridgen.grid import Grid
from gridgen.grid.tracing import trace
from gridgen.grid.units import Kind

COLOURS: dict[Kind, str] = {  # figure 1, in shades that colour-blind eyes tell apart
    "lateral": "#3f9e6e",
    "subsampling": "#a61e2e",
    "upsampling": "#f2b705",
}
GHOST = "#dedede"
INK = "#333333"
FAINT = "#8a8a8a"
PAPER = "#f7f7f7"
LAYERED = "#dbe7f3"  # fill of a map that has layers of its own
FONT = "Helvetica"
# Graphviz draws text of any width into a label without telling how wide it became, so widths are
# estimated: the mean width of a letter, as a share of the font size.
LETTER = 0.47

COLUMN_STEP = 88
STREAM_STEP = 72
MAP_WIDTH = 44
MAP_HEIGHT = 28
LINE = 3.0
THIN_LINE = 1.6


@dataclass(frozen=True)
class Look:
    """Colour, width and dashes of a line."""

    colour: str
    width: float = LINE
    dashed: bool = False

    @property
    def arrow(self) -> float:
        """Size of the arrow's head; 1 is 10 points."""
        return 0.7 if self.width == LINE else 0.5

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes that give a Graphviz edge this look."""
        return {
            "color": self.colour,
            "penwidth": str(self.width),
            "arrowsize": f"{self.arrow:g}",
            **({"style": "dashed"} if self.dashed else {}),
        }


DROPPED = Look(GHOST, THIN_LINE)
AUXILIARY = Look(FAINT, 1.2, dashed=True)
BOTH = Look("#c4c4c4", THIN_LINE)
ONLY_A = Look("#2f6db5")
ONLY_B = Look("#e0720b")
CHANGED = Look("#8e44ad")
END = Look(INK, 1.4)
SHORTEST, LONGEST = ONLY_A, Look(ONLY_B.colour, dashed=True)  # figure 4
NARROWEST, WIDEST = 1.2, 5.5
LIGHTEST, DARKEST = 200, 60  # of 255


def share_look(share: float) -> Look:
    """The look of a connection with this share of the paths: from narrow, light to wide, dark."""
    grey = round(LIGHTEST + (DARKEST - LIGHTEST) * share)
    width = round(NARROWEST + (WIDEST - NARROWEST) * share, 1)
    return Look(f"#{grey:02x}{grey:02x}{grey:02x}", width)


def point(column: float, row: float) -> tuple[float, float]:
    """The place of a column and a row, in points. Rows count downwards, points upwards."""
    return column * COLUMN_STEP, -row * STREAM_STEP


def position(column: float, row: float) -> str:
    """A Graphviz position that no layout moves."""
    x, y = point(column, row)
    return f"{x:g},{y:g}!"


def columns_wide(label: str, size: int, letter: float = LETTER) -> float:
    """Approximate width of the longest line of `label` in letters of `size` points, in columns."""
    longest = max(len(line) for line in label.split("\\n"))
    return longest * letter * size / COLUMN_STEP


def inches(points: float) -> str:
    """A length in inches, the unit of the sizes of Graphviz nodes."""
    return f"{points / 72:.3f}"


def last_column(*grids: Grid) -> int:
    """Index of the rightmost column, dropped maps included."""
    return max(feature_map.column for grid in grids for feature_map in grid.full.dag)


def last_stream(*grids: Grid) -> int:
    """Index of the lowest stream, dropped maps included."""
    return max(feature_map.stream for grid in grids for feature_map in grid.full.dag)


def stream_sizes(*grids: Grid) -> dict[int, str]:
    """The size of each stream's maps as a share of the image, or in pixels where it is fixed.

    Where grids differ, the sizes of all.
    """
    sizes: dict[int, dict[str, None]] = {}
    for grid in grids:
        side, dimensions = grid.spec.least, grid.spec.dimensions
        # A second, larger image tells a share of the image from a fixed size.
        small, large = (trace(grid, (each,) * dimensions).shapes for each in (side, 2 * side))
        of_grid = {
            feature_map.stream: _size_text(shape[1], large[feature_map][1], side)
            for feature_map, shape in sorted(small.items())
        }
        for stream, size in of_grid.items():
            sizes.setdefault(stream, {})[size] = None
    return {stream: ", ".join(sizes[stream]) for stream in sorted(sizes)}


def _size_text(height: int, twice: int, side: int) -> str:
    """The size of a map that has `height` rows of an image's `side`, and `twice` of 2 sides."""
    share = Fraction(height, side)
    if twice == 2 * height:
        return f"{share.numerator}/{share.denominator}"
    return f"{height}x{height}" if twice == height else f"{height}x{height} of {side}"
