"""Line charts as SVG inside a page, whose colours they take. Numbers and given titles alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Point = tuple[float, float]

WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 12, 34
MOST_POINTS = 400
"""Of a line; more are averaged."""


@dataclass(frozen=True)
class Line:
    """A line of a chart; `style` is a CSS class of the page's."""

    title: str
    style: str
    points: Sequence[Point]
    dots: bool = False


def chart(
    title: str, across: str, lines: Sequence[Line], shown: float = 1.0
) -> dict[str, Any] | None:
    """What the template draws, in units of the view box; None where no line has a point.

    `across` names the x axis. The y axis holds a share `shown` of the values, the highest left out;
    it begins at 0 unless all of them, which differ, are far from it.
    """
    lines = [thinned(line) for line in lines]
    lines = [line for line in lines if line.points]
    if not lines:
        return None
    xs = [x for line in lines for x, _ in line.points]
    ys = sorted(y for line in lines for _, y in line.points)
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
        "lines": [_drawn(line, x_axis, y_axis) for line in lines],
        "legend": len(lines) > 1,
    }


@dataclass(frozen=True)
class Axis:
    """Values from `least` to `most`, laid out from place `begin` to place `end`."""

    least: float
    most: float
    begin: float
    end: float

    def place(self, value: float) -> float:
        """Where a value lies."""
        extent = self.most - self.least
        share = (value - self.least) / extent if extent else 0.5
        return round(self.begin + share * (self.end - self.begin), 1)

    def marks(self, whole: bool = False) -> list[dict[str, Any]]:
        """Round values, `whole` ones alone if asked, and where they lie."""
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
    first, last = math.ceil(least / step - 1e-9), math.floor(most / step + 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def tick_text(value: float) -> str:
    """A value beside an axis.

    >>> tick_text(0.25), tick_text(400), tick_text(250_000), tick_text(1_250_000)
    ('0.25', '400', '250k', '1.25M')
    """
    if abs(value) >= 1e6:
        return f"{value / 1e6:.4g}M"
    return f"{value / 1e3:.4g}k" if abs(value) >= 1e4 else f"{value:.4g}"


def thinned(line: Line) -> Line:
    """At most `MOST_POINTS`, each the mean of its neighbours; values that are no numbers left out.

    >>> thinned(Line("loss", "", [(1.0, 2.0), (2.0, float("nan"))])).points
    [(1.0, 2.0)]
    """
    points = [(x, y) for x, y in line.points if math.isfinite(y)]
    size = math.ceil(len(points) / MOST_POINTS)
    if size > 1:
        groups = (points[i : i + size] for i in range(0, len(points), size))
        points = [(_mean([x for x, _ in group]), _mean([y for _, y in group])) for group in groups]
    return Line(line.title, line.style, points, line.dots)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _drawn(line: Line, x_axis: Axis, y_axis: Axis) -> dict[str, Any]:
    places = [(x_axis.place(x), y_axis.place(y)) for x, y in line.points]
    return {
        "title": line.title,
        "style": line.style,
        "points": " ".join(f"{x},{y}" for x, y in places),
        "dots": places if (line.dots and len(places) <= 60) or len(places) == 1 else [],
    }
