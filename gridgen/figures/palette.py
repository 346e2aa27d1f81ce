"""The colours and marks of every figure and page. Those of connections: `render/style.py`."""

from typing import Any, NamedTuple

from gridgen.grid import TOPOLOGIES


class Palette(NamedTuple):
    """Colours by use. Figures take `LIGHT`; pages take both, as CSS variables of these names."""

    ink: str
    quiet: str
    paper: str
    card: str
    line: str
    mark: str
    wrong: str

    @property
    def css(self) -> str:
        """Declarations of CSS variables."""
        return " ".join(f"--{name}: {colour};" for name, colour in self._asdict().items())


LIGHT = Palette("#1d2329", "#5c6670", "#ffffff", "#f5f6f8", "#d9dde2", "#0072b2", "#d55e00")
DARK = Palette("#e4e7ea", "#9aa4ae", "#15191d", "#1f252b", "#353d45", "#56b4e9", "#e08040")

FAINT = "#c9ced4"
"""Colour of points that only show where others could be."""
SPLITS = {"train": LIGHT.quiet, "val": LIGHT.mark, "held out": LIGHT.wrong}

# Green, red and yellow are left to the connections of a grid, which have them from figure 1 of the
# paper. The marks tell topologies apart where colours do not, for eyes or on paper. The last two
# are for topologies to come.
_COLOURS = ("#0072b2", "#8c510a", "#d672ab", "#4ab3e8", "#5e2b97", "#117a8b", "#b5179e")
_MARKS = ("o", "s", "^", "D", "v", "X", "<")
_STYLES = dict(zip(TOPOLOGIES, zip(_COLOURS, _MARKS, strict=True), strict=False))


def topology_style(name: str) -> dict[str, Any]:
    """Keywords for `scatter`: the one colour and mark of a topology, or those of all others."""
    colour, marker = _STYLES.get(name, (LIGHT.ink, "P"))
    return {"color": colour, "marker": marker, "linewidths": 0}
