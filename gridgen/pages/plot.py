"""Points that open what they stand for, with lines among them: values for the template."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gridgen.pages.page import Axis, ChartCurve, tick_text

WIDTH, HEIGHT = 520, 320
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 16, 38
LOGARITHMIC = 8
"""Greatest over least cost from which on an axis is logarithmic."""
MARGIN = 0.06
FAR = 3
"""Limit over greatest cost above which a limit is not drawn."""


@dataclass(frozen=True)
class PlotPoint:
    """A point of a plot: a link to the part of the page called `target`, "" for no link.

    `style` is a CSS class of the page, `shape` circle, square, diamond or cross. Without y it
    stands at the foot of the plot.
    """

    x: float
    y: float | None
    target: str
    label: str
    style: str
    shape: str = "circle"


@dataclass(frozen=True)
class LogAxis(Axis):
    """An axis of logarithms; its ticks are at 1, 2 and 5 times the powers of ten."""

    def place(self, value: float) -> float:
        """The place of a value."""
        return Axis(math.log(self.least), math.log(self.most), self.begin, self.end).place(
            math.log(value)
        )

    def marks(self, whole: bool = False) -> list[dict[str, Any]]:
        """Round values with their places."""
        values = [value for value in self._round() if self.least <= value <= self.most]
        return [{"at": self.place(value), "text": tick_text(value)} for value in values]

    def _round(self) -> Iterator[float]:
        for power in range(math.floor(math.log10(self.least)), math.ceil(math.log10(self.most))):
            yield from (factor * 10.0**power for factor in (1, 2, 5))
        yield 10.0 ** math.ceil(math.log10(self.most))


def plot(
    title: str,
    across: str,
    points: Sequence[PlotPoint],
    lines: Sequence[ChartCurve] = (),
    limit: float | None = None,
    whole: bool = False,
) -> dict[str, Any] | None:
    """Values for the template, in units of the view box; None without a point that has a score.

    A vertical line stands at `limit` of the x axis, unless it is far from all points; the axis has
    only whole numbers if `whole`.
    """
    ys = [point.y for point in points if point.y is not None]
    if not ys:
        return None
    xs = [point.x for point in points]
    # A limit that is far away would press the points together.
    limit = limit if limit is not None and limit <= FAR * max(xs) else None
    x_axis = _across([*xs, *([] if limit is None else [limit])], whole)
    y_axis = _upward(ys)
    foot = HEIGHT - BOTTOM
    return {
        "title": title,
        "across": across,
        "width": WIDTH,
        "height": HEIGHT,
        "frame": {"left": LEFT, "top": TOP, "right": WIDTH - RIGHT, "bottom": foot},
        "x_ticks": _apart(x_axis.marks(whole)),
        "y_ticks": y_axis.marks(),
        "limit": None if limit is None else x_axis.place(limit),
        "lines": [
            {
                "style": line.style,
                "points": " ".join(f"{x_axis.place(x)},{y_axis.place(y)}" for x, y in line.points),
            }
            for line in lines
        ],
        "points": [
            {
                "x": x_axis.place(point.x),
                "y": foot if point.y is None else y_axis.place(point.y),
                "target": point.target,
                "label": point.label,
                "style": point.style,
                "shape": point.shape,
            }
            for point in points
        ],
    }


def _across(xs: Sequence[float], whole: bool) -> Axis:
    least, most = min(xs), max(xs)
    if not whole and least > 0 and most / least >= LOGARITHMIC:
        return LogAxis(least / 1.1, most * 1.1, LEFT, WIDTH - RIGHT)
    extent = (most - least) or abs(most) or 1.0
    return Axis(least - MARGIN * extent, most + MARGIN * extent, LEFT, WIDTH - RIGHT)


def _upward(ys: Sequence[float]) -> Axis:
    least, most = min(ys), max(ys)
    extent = (most - least) or abs(most) or 1.0
    return Axis(least - MARGIN * extent, most + MARGIN * extent, HEIGHT - BOTTOM, TOP)


def _apart(marks: Sequence[dict[str, Any]], room: float = 40) -> list[dict[str, Any]]:
    """Marks whose texts do not touch: of those that are too near, the first."""
    kept: list[dict[str, Any]] = []
    for mark in marks:
        if not kept or mark["at"] - kept[-1]["at"] >= room:
            kept.append(mark)
    return kept


def stepped(points: Sequence[tuple[float, float]], end: float | None = None) -> list[Any]:
    """A line that keeps each height until the next point, and the last one until `end`.

    >>> stepped([(0, 1), (2, 3)], 5)
    [(0, 1), (2, 1), (2, 3), (5, 3)]
    """
    line: list[tuple[float, float]] = []
    for x, y in points:
        line += [(x, line[-1][1])] if line else []
        line.append((x, y))
    return line + ([(end, line[-1][1])] if line and end is not None and end > line[-1][0] else [])
