"""Pictures of many columns, cut into bands that lie below each other, so that a page shows them.

The picture is drawn whole, and each format is cut by itself. A line that a cut crosses ends at the
right of one band and goes on at the left of the next.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from gridgen.grid import Grid
from gridgen.render import style

MOST_COLUMNS = 18
"""Columns that are drawn in one band."""
BAND_COLUMNS = 12
"""Columns of a band where there are several; the last may have fewer, or up to half of it more."""
_SIZE = re.compile(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"[^>]*>', re.S)
_SHIFT = re.compile(r"translate\(([-\d.]+)[ ,]([-\d.]+)\)")
_MAP = re.compile(r'<g id="map_(\d+)_(\d+)" class="node">.*?<path[^>]* d="([^"]+)"', re.S)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")

PictureBand = tuple[float, float, float, float]
"""Left, top, width and height of what a band shows of the SVG, in points."""


@dataclass(frozen=True)
class Fold:
    """Columns before which a picture is cut, and the rows that later bands show."""

    before: tuple[int, ...]
    top: float
    bottom: float

    @classmethod
    def of(cls, grids: Sequence[Grid]) -> "Fold | None":
        """The fold of a picture of these grids; None where one band holds it."""
        columns = style.last_column(*grids) + 1
        if columns <= MOST_COLUMNS:
            return None
        cuts = range(BAND_COLUMNS, columns - BAND_COLUMNS // 2, BAND_COLUMNS)
        return cls(tuple(cuts), -0.85, style.last_stream(*grids) + 0.55)

    @property
    def middle(self) -> float:
        """The column over which a title stands: the middle of the first band."""
        return (self.before[0] - 1) / 2

    def bands(self, svg: str) -> list[PictureBand]:
        """What each band shows of the whole picture; the first has the title and the legend too."""
        size = _SIZE.search(svg)
        assert size is not None
        width, height = map(float, size.groups())
        right, down = _origin(svg)
        cuts = [style.point(column - 0.5, 0)[0] + right for column in self.before]
        top, bottom = (down - style.point(0, row)[1] for row in (self.top, self.bottom))
        ends = [*cuts[1:], width]
        later = [
            (left, top, end - left, bottom - top) for left, end in zip(cuts, ends, strict=True)
        ]
        return [(0.0, 0.0, cuts[0], height), *later]


def _origin(svg: str) -> tuple[float, float]:
    """Where X(0, 0) would be in the SVG, by the first map that is drawn."""
    shift, drawn = _SHIFT.search(svg), _MAP.search(svg)
    assert shift is not None
    assert drawn is not None
    numbers = [float(each) for each in _NUMBER.findall(drawn[3])]
    along, down = numbers[::2], numbers[1::2]
    stream, column = int(drawn[1]), int(drawn[2])
    return (
        (min(along) + max(along)) / 2 + float(shift[1]) - column * style.COLUMN_STEP,
        (min(down) + max(down)) / 2 + float(shift[2]) - stream * style.STREAM_STEP,
    )


def page_size(bands: Sequence[PictureBand]) -> tuple[float, float]:
    """Width and height of all bands below each other."""
    return max(band[2] for band in bands), sum(band[3] for band in bands)


def folded_svg(svg: str, bands: Sequence[PictureBand]) -> str:
    """The bands in one SVG; the first holds the drawing, the others show it again."""
    begin = _SIZE.search(svg)
    assert begin is not None
    # Pages hold several pictures, whose names must not be the same.
    name = f"graph-{hashlib.sha256(svg.encode()).hexdigest()[:12]}"
    inside = svg[begin.end() : svg.rindex("</svg>")].replace('id="graph0"', f'id="{name}"', 1)
    width, height = page_size(bands)
    parts, below = [], 0.0
    for number, (left, top, wide, high) in enumerate(bands):
        shown = inside if number == 0 else f'<use xlink:href="#{name}"/>\n'
        box = f'viewBox="{left:.2f} {top:.2f} {wide:.2f} {high:.2f}"'
        parts.append(
            f'<svg x="0" y="{below:.2f}" width="{wide:.2f}" height="{high:.2f}" {box}>\n'
            f"{shown}</svg>\n"
        )
        below += high
    head = (
        f'<svg width="{width:.0f}pt" height="{height:.0f}pt" '
        f'viewBox="0 0 {width:.2f} {height:.2f}" xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">\n'
    )
    return f"{svg[: begin.start()]}{head}{''.join(parts)}</svg>\n"


def folded_png(png: bytes, bands: Sequence[PictureBand], scale: float) -> bytes:
    """The bands in one PNG, of `scale` pixels a point."""
    from PIL import Image

    width, height = page_size(bands)
    with Image.open(BytesIO(png)) as whole:
        page = Image.new("RGB", (round(width * scale), round(height * scale)), "white")
        below = 0.0
        for left, top, wide, high in bands:
            corners = [each * scale for each in (left, top, left + wide, top + high)]
            first, upper, last, lower = map(round, corners)
            # Graphviz rounds the size down, and what is cut beyond the edge would be black.
            box = first, upper, min(last, whole.width), min(lower, whole.height)
            part = whole.convert("RGB").crop(box)
            page.paste(part, (0, round(below * scale)))
            below += high
    file = BytesIO()
    page.save(file, format="png")
    return file.getvalue()
