"""Values with their intervals, one below the other: values for the template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gridgen.pages.page import Axis

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 560, 130, 16, 10, 38
STEP = 14
GAP = 10


@dataclass(frozen=True)
class Interval:
    """A value between its ends; `style` is a CSS class of the page."""

    value: float
    low: float
    high: float
    style: str


def intervals(
    title: str,
    across: str,
    rows: Sequence[tuple[str, Sequence[Interval]]],
    legend: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Values for the template, in units of the view box: each row has a name, and its intervals.

    A line stands at 0, which the x axis always holds. `legend` has titles with their styles.
    """
    every = [each for _, found in rows for each in found]
    least, most = min([0.0, *(e.low for e in every)]), max([0.0, *(e.high for e in every)])
    axis = Axis(least, most, LEFT, WIDTH - RIGHT)
    drawn, y = [], TOP
    for name, found in rows:
        middle = y + STEP * len(found) / 2
        drawn.append({"name": name, "y": middle, "marks": list(_marks(found, axis, y))})
        y += STEP * len(found) + GAP
    return {
        "title": title,
        "across": across,
        "width": WIDTH,
        "height": y + BOTTOM,
        "frame": {"left": LEFT, "top": TOP, "right": WIDTH - RIGHT, "bottom": y},
        "x_ticks": axis.marks(),
        "y_ticks": [],
        "zero": axis.place(0.0),
        "rows": drawn,
        "legend": list(legend),
    }


def _marks(found: Sequence[Interval], axis: Axis, top: float) -> Any:
    for place, each in enumerate(found):
        y = top + STEP * (place + 0.5)
        ends = {"low": axis.place(each.low), "high": axis.place(each.high)}
        yield {"y": y, "value": axis.place(each.value), "style": each.style, **ends}
