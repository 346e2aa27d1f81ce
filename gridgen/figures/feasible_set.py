"""The figure of a feasible set: activations against parameters, one mark for each topology."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridgen.figures import save_figure
from gridgen.figures.binning import Plane, Points, in_turn
from gridgen.grid.layers import shape_text
from gridgen.space.feasible_set import Feasible
from gridgen.space.quantities import QUANTITIES
from gridgen.space.spec_array import Mask

COLOURS = ("#4f9d3a", "#cf3f3f", "#e3a400", "#3867c7", "#8a4fb5", "#3aa6a0")
MARKS = ("o", "s", "^", "D", "v", "P")
FAINT, LINE = "#d0d0d0", "#555555"
SPOTS = (96, 60)
FEW = 600
KEY = 30
"""Area of a mark in the legend."""


def draw_feasible(found: Feasible, path: Path, title: str) -> Path:
    """Write a PNG with feasible specs in colour, others faint, and limits as lines.

    Specs on the same spot are drawn as one mark, larger for more of them.
    """
    from matplotlib.figure import Figure  # half a second that nothing else needs

    figure = Figure(figsize=(9, 5), layout="constrained")
    axis = figure.subplots()
    axis.set(xscale="log", yscale="log", xlabel="parameters")
    axis.set_ylabel(f"activations of one image of {shape_text(found.budget.asked)}")
    figure.suptitle(f"{title}: {found.feasible:,} of {found.points:,} specs meet the budget")
    axis.grid(alpha=0.25)
    if found.valid.any():
        _draw(axis, found)
    _draw_limits(axis, found)
    return save_figure(figure, path)


def _draw(axis: Any, found: Feasible) -> None:
    plane = Plane(_points(found, found.valid))
    axis.margins(0.03)
    points, _, many = plane.first(_points(found, found.valid & ~found.within), SPOTS)
    axis.scatter(*points, s=_areas(many), color=FAINT, marker=".", linewidths=0)
    feasible = {name: _points(found, found.of_topology(name)) for name in found.names()}
    firsts = [plane.first(points, SPOTS) for points in feasible.values()]
    shown = in_turn([spots for _, spots, _ in firsts], SPOTS)
    for index, ((points, _, many), mask) in enumerate(zip(firsts, shown, strict=True)):
        axis.scatter(points.x[mask], points.y[mask], s=_areas(many)[mask], **_style(index))
    _name(axis, [name if len(points.x) else "" for name, points in feasible.items()])


def _points(found: Feasible, mask: Mask) -> Points:
    """Parameters and activations of the cells of a mask."""
    cells = np.flatnonzero(np.broadcast_to(mask, found.within.shape))
    return Points(found.at("parameters", cells), found.at("activations", cells))


def _areas(many: NDArray[Any]) -> NDArray[Any]:
    """Areas of marks, larger where a spot holds more points and where there are few spots."""
    areas: NDArray[Any] = (18 if len(many) < FEW else 8) + 6 * np.log10(many)
    return areas


def _style(index: int) -> dict[str, Any]:
    colour, marker = COLOURS[index % len(COLOURS)], MARKS[index % len(MARKS)]
    return {"color": colour, "marker": marker, "linewidths": 0}


def _name(axis: Any, names: Sequence[str]) -> None:
    """Draw a legend beside the axes with marks of equal size; "" is left out."""
    for index, name in enumerate(names):
        if name:
            axis.scatter([], [], s=KEY, label=name, **_style(index))
    axis.scatter([], [], s=KEY, label="over the budget", color=FAINT, marker=".", linewidths=0)
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))


def _draw_limits(axis: Any, found: Feasible) -> None:
    """Draw limits on the axes' quantities as lines, and write the others above."""
    others = []
    for quantity, value in found.budget.limits():
        if found.budget.bound == "paper" or quantity not in ("parameters", "activations"):
            others.append(QUANTITIES[quantity].limit(value))
            continue
        across = quantity == "activations"
        line, text = (
            axis.axhline if across else axis.axvline,
            f" {QUANTITIES[quantity].limit(value)}",
        )
        line(value, color=LINE, linestyle="--", linewidth=1)
        where = (0.005, value) if across else (value, 0.01)
        frame = axis.get_yaxis_transform() if across else axis.get_xaxis_transform()
        axis.text(*where, text, transform=frame, color=LINE, size=9, va="bottom")
    axis.set_title("; ".join(others), size=9, color=LINE)
