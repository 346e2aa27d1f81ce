"""Parts of every page: a template that extends `base.html`, embedded pictures, line charts."""

import math
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gridgen import __version__
from gridgen.figures.palette import DARK, LIGHT
from gridgen.files import read_bytes
from gridgen.names import escaped

TEMPLATES = Path(__file__).parent / "templates"
PNG = b"\x89PNG"
WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 70, 12, 12, 34
MOST_POINTS = 400
"""Number of points of a curve above which neighbours are averaged."""


def rendered(template: str, **values: Any) -> str:
    """The page of `templates/TEMPLATE.html`, filled with `values`; markup in them is escaped.

    A template extends `base.html` and fills its blocks `title` and `content`.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        # Jinja would write nothing for a name that a template misspells.
        undefined=StrictUndefined,
        # Characters of names that would turn the text around them; markup of ours has none.
        finalize=lambda value: escaped(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"version": __version__, "light": LIGHT, "dark": DARK}
    return environment.get_template(f"{template}.html").render(values)


def embedded(picture: bytes) -> str:
    """The address of an <img> that holds a whole PNG, WebP or SVG file.

    >>> embedded(bytes.fromhex("89504e47"))
    'data:image/png;base64,iVBORw=='
    """
    return f"data:image/{_kind(picture)};base64,{b64encode(picture).decode()}"


def embedded_file(path: Path) -> str | None:
    """A PNG file as such an address; None if there is none."""
    try:
        picture = read_bytes(path)
    except OSError:
        return None
    return embedded(picture) if picture.startswith(PNG) else None


def _kind(picture: bytes) -> str:
    if picture.startswith(PNG):
        return "png"
    return "webp" if picture.startswith(b"RIFF") else "svg+xml"


@dataclass(frozen=True)
class ChartCurve:
    """One curve of a chart; `style` is a CSS class of the page."""

    title: str
    style: str
    points: Sequence[tuple[float, float]]
    dots: bool = False


def chart(
    title: str, across: str, curves: Sequence[ChartCurve], shown: float = 1.0
) -> dict[str, Any] | None:
    """Values for the template, in units of the view box; None if no curve has a point.

    `across` names the x axis. The y axis holds a share `shown` of the values, the highest left out;
    it begins at 0 unless the values differ and are all far from it.
    """
    curves = [thinned(curve) for curve in curves]
    curves = [curve for curve in curves if curve.points]
    if not curves:
        return None
    xs = [x for curve in curves for x, _ in curve.points]
    ys = sorted(y for curve in curves for _, y in curve.points)
    # The first losses tower over all others; without them the rest would be a flat curve.
    highest = ys[math.ceil(shown * (len(ys) - 1))]
    near_zero = ys[0] >= 0 and (ys[0] < highest / 2 or ys[0] == highest)
    lowest = 0.0 if near_zero else ys[0]
    x_axis = Axis(min(0.0, xs[0]), max(xs), LEFT, WIDTH - RIGHT)
    y_axis = Axis(lowest, highest, HEIGHT - BOTTOM, TOP)
    return {
        "title": title,
        "across": across,
        "width": WIDTH,
        "height": HEIGHT,
        "frame": {"left": LEFT, "top": TOP, "right": WIDTH - RIGHT, "bottom": HEIGHT - BOTTOM},
        "x_ticks": x_axis.marks(whole=True),
        "y_ticks": y_axis.marks(),
        "lines": [_drawn(curve, x_axis, y_axis) for curve in curves],
        "legend": _legend(curves),
    }


def _legend(curves: Sequence[ChartCurve]) -> list[tuple[str, str]]:
    """Title and style of the curves, of several that look alike once."""
    named = dict.fromkeys((curve.title, curve.style) for curve in curves if curve.title)
    return list(named) if len(curves) > 1 else []


@dataclass(frozen=True)
class Axis:
    """A linear map of the values `least` to `most` onto the places `begin` to `end`."""

    least: float
    most: float
    begin: float
    end: float

    def place(self, value: float) -> float:
        """The place of a value."""
        extent = self.most - self.least
        share = (value - self.least) / extent if extent else 0.5
        return round(self.begin + share * (self.end - self.begin), 1)

    def marks(self, whole: bool = False) -> list[dict[str, Any]]:
        """Round values with their places; only whole numbers if `whole`."""
        values = [v for v in ticks(self.least, self.most) if not whole or v.is_integer()]
        return [{"at": self.place(value), "text": tick_text(value)} for value in values]


def ticks(least: float, most: float) -> list[float]:
    """About five round values in a range.

    >>> ticks(0, 408), ticks(0.1, 0.35)
    ([0.0, 100.0, 200.0, 300.0, 400.0], [0.1, 0.15, 0.2, 0.25, 0.3, 0.35])
    """
    if most <= least:
        return [least]
    rough = (most - least) / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = min((unit * factor for factor in (1, 2, 2.5, 5, 10)), key=lambda s: abs(s - rough))
    # A share of a step absorbs rounding: 0.3 / 0.1 is 2.9999999999999996.
    first, last = math.ceil(least / step - 1e-9), math.floor(most / step + 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def tick_text(value: float) -> str:
    """The text of a value beside an axis.

    >>> tick_text(0.25), tick_text(400), tick_text(250_000), tick_text(1_250_000), tick_text(8e9)
    ('0.25', '400', '250k', '1.25M', '8G')
    """
    if abs(value) >= 1e9:
        return f"{value / 1e9:.4g}G"
    if abs(value) >= 1e6:
        return f"{value / 1e6:.4g}M"
    return f"{value / 1e3:.4g}k" if abs(value) >= 1e4 else f"{value:.4g}"


def thinned(curve: ChartCurve) -> ChartCurve:
    """The curve with at most `MOST_POINTS` points, each the mean of neighbours, without NaN.

    >>> thinned(ChartCurve("loss", "", [(1.0, 2.0), (2.0, float("nan"))])).points
    [(1.0, 2.0)]
    """
    points = [(x, y) for x, y in curve.points if math.isfinite(y)]
    size = math.ceil(len(points) / MOST_POINTS)
    if size > 1:
        groups = (points[i : i + size] for i in range(0, len(points), size))
        points = [(fmean(x for x, _ in group), fmean(y for _, y in group)) for group in groups]
    return ChartCurve(curve.title, curve.style, points, curve.dots)


def _drawn(curve: ChartCurve, x_axis: Axis, y_axis: Axis) -> dict[str, Any]:
    places = [(x_axis.place(x), y_axis.place(y)) for x, y in curve.points]
    return {
        "title": curve.title,
        "style": curve.style,
        "points": " ".join(f"{x},{y}" for x, y in places),
        "dots": places if (curve.dots and len(places) <= 60) or len(places) == 1 else [],
    }
