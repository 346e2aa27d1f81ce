"""How a picture looks: colours, sizes, fonts. All lengths in points (1/72 inch)."""

from gridgen.grid.units import Kind

COLOURS: dict[Kind, str] = {  # figure 1
    "lateral": "#4f9d3a",
    "subsampling": "#cf3f3f",
    "upsampling": "#e3a400",
}
GHOST = "#dedede"
INK = "#333333"
FAINT = "#8a8a8a"
PAPER = "#f7f7f7"
FONT = "Helvetica"
LETTER = 0.46  # mean width of a letter, as a share of the font size

COLUMN_STEP = 88
STREAM_STEP = 72
MAP_WIDTH = 44
MAP_HEIGHT = 28
LINE = 3.0
GHOST_LINE = 1.6
SEEN_LINE = 1.2
