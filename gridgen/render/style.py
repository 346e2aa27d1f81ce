"""How a picture looks: colours, sizes, fonts. All lengths in points (1/72 inch)."""

from dataclasses import dataclass

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
LAYERED = "#dbe7f3"  # fill of a map that has layers of its own
FONT = "Helvetica"
LETTER = 0.43  # mean width of a letter, as a share of the font size

COLUMN_STEP = 88
STREAM_STEP = 72
MAP_WIDTH = 44
MAP_HEIGHT = 28
LINE = 3.0
THIN_LINE = 1.6


@dataclass(frozen=True)
class Look:
    """How a line looks."""

    colour: str
    width: float = LINE
    dashed: bool = False

    @property
    def arrow(self) -> float:
        """Size of the arrow's head; 1 is 10 points."""
        return 0.7 if self.width == LINE else 0.5

    @property
    def attributes(self) -> dict[str, str]:
        """As Graphviz has it."""
        return {
            "color": self.colour,
            "penwidth": str(self.width),
            "arrowsize": f"{self.arrow:g}",
            **({"style": "dashed"} if self.dashed else {}),
        }


DROPPED = Look(GHOST, THIN_LINE)
LOOKED_AT = Look(FAINT, 1.2, dashed=True)
BOTH = Look("#c4c4c4", THIN_LINE)
ONLY_A = Look("#2f6db5")
ONLY_B = Look("#e0720b")
CHANGED = Look("#8e44ad")
END = Look(INK, 1.4)
SHORTEST, LONGEST = "#2f6db5", "#e0720b"  # figure 4
NARROWEST, WIDEST = 1.2, 5.5
LIGHTEST, DARKEST = 200, 60  # of 255


def share_look(share: float) -> Look:
    """A connection that carries a share of the paths: from narrow and light to wide and dark."""
    grey = round(LIGHTEST + (DARKEST - LIGHTEST) * share)
    width = round(NARROWEST + (WIDEST - NARROWEST) * share, 1)
    return Look(f"#{grey:02x}{grey:02x}{grey:02x}", width)
