"""The figure of a feasible set: activations against parameters, one mark for each topology.

Points that fall on one spot are drawn once, as one larger mark.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridgen.figures import legend_beside, new_figure, save_figure
from gridgen.figures.palette import FAINT, LIGHT, topology_style
from gridgen.grid.layers import shape_text
from gridgen.space.feasible_set import Feasible
from gridgen.space.quantities import QUANTITIES
from gridgen.space.spec_array import Mask

Numbers = NDArray[Any]
OVER_BUDGET = {"color": FAINT, "marker": ".", "linewidths": 0}
SPOTS = (96, 60)
"""Columns and rows of spots."""
FEW = 600
"""Number of spots below which marks are larger."""
KEY = 30
"""Area of a mark in the legend."""


class Points(NamedTuple):
    """Positive coordinates of points in a plane."""

    x: Numbers
    y: Numbers


def draw_feasible(found: Feasible, path: Path, title: str) -> Path:
    """Write a PNG with feasible specs in colour, others faint, and limits as lines."""
    figure, (axis,) = new_figure(9, 5)
    axis.set(xscale="log", yscale="log", xlabel="parameters")
    axis.set_ylabel(f"activations of one image of {shape_text(found.image)}")
    figure.suptitle(f"{title}: {found.feasible:,} of {found.points:,} specs meet the budget")
    if found.valid.any():
        _draw(axis, found)
    _draw_limits(axis, found)
    return save_figure(figure, path)


def _draw(axis: Any, found: Feasible) -> None:
    plane = Plane(_points(found, found.valid))
    axis.margins(0.03)
    points, _, many = plane.first(_points(found, found.valid & ~found.within), SPOTS)
    axis.scatter(*points, s=_areas(many), **OVER_BUDGET)
    names = found.names()
    firsts = [plane.first(_points(found, found.of_topology(name)), SPOTS) for name in names]
    shown = in_turn([spots for _, spots, _ in firsts], SPOTS)
    for name, (points, _, many), mask in zip(names, firsts, shown, strict=True):
        style = topology_style(name)
        axis.scatter(points.x[mask], points.y[mask], s=_areas(many)[mask], **style)
        if len(many):
            # The legend would show the area of the first mark; an empty series has one for all.
            axis.scatter([], [], s=KEY, label=name, **style)
    axis.scatter([], [], s=KEY, label="over the budget", **OVER_BUDGET)
    legend_beside(axis)


def _points(found: Feasible, mask: Mask) -> Points:
    """Parameters and activations of what a mask marks."""
    counts = (found.counts[name] for name in ("parameters", "activations"))
    return Points(*(np.broadcast_to(count, mask.shape)[mask] for count in counts))


def _areas(many: NDArray[Any]) -> NDArray[Any]:
    """Areas of marks, larger where a spot holds more points and where there are few spots."""
    areas: NDArray[Any] = (18 if len(many) < FEW else 8) + 6 * np.log10(many)
    return areas


def _draw_limits(axis: Any, found: Feasible) -> None:
    """Draw limits on the axes' quantities as lines, and write the others above."""
    others = []
    for quantity, value in found.budget.limits():
        if found.budget.bound == "paper" or quantity not in ("parameters", "activations"):
            others.append(QUANTITIES[quantity].limit(value))
            continue
        across = quantity == "activations"
        line = axis.axhline if across else axis.axvline
        line(value, color=LIGHT.quiet, linestyle="--", linewidth=1)
        # Along a line the axes' own fraction counts, across it the data.
        where = (0.005, value) if across else (value, 0.01)
        frame = axis.get_yaxis_transform() if across else axis.get_xaxis_transform()
        text = f" {QUANTITIES[quantity].limit(value)}"
        axis.text(*where, text, transform=frame, color=LIGHT.quiet, size=9, va="bottom")
    axis.set_title("; ".join(others), size=9, color=LIGHT.quiet)


class Plane:
    """The smallest rectangle on logarithmic axes around some points, divided into spots."""

    def __init__(self, points: Points) -> None:
        self.ends = [(np.log10(float(v.min())), np.log10(float(v.max()))) for v in points]

    def spots(self, points: Points, divisions: tuple[int, int]) -> NDArray[np.intp]:
        """The number of the spot of each point: its column times the rows, and its row."""
        column, row = (
            self._along(values, ends, many)
            for values, ends, many in zip(points, self.ends, divisions, strict=True)
        )
        spots: NDArray[np.intp] = column * divisions[1] + row
        return spots

    def _along(self, values: Numbers, ends: tuple[Any, Any], many: int) -> NDArray[np.intp]:
        share = (np.log10(values.astype(float)) - ends[0]) / (ends[1] - ends[0] or 1)
        places: NDArray[np.intp] = np.clip(share * many, 0, many - 1).astype(np.intp)
        return places

    def first(self, points: Points, divisions: tuple[int, int]) -> tuple[Points, Numbers, Numbers]:
        """One point of each spot, the number of the spot, and the number of its points."""
        spots, first, many = np.unique(
            self.spots(points, divisions), return_index=True, return_counts=True
        )
        return Points(points.x[first], points.y[first]), spots, many


def in_turn(groups: Sequence[Numbers], divisions: tuple[int, int]) -> list[NDArray[np.bool_]]:
    """A mask for each group of the spots that it shows, so that one group alone shows a spot.

    Groups that overlap show their spots in turn, so that each remains visible.
    """
    there = np.zeros((len(groups), divisions[0] * divisions[1]), dtype=bool)
    for index, spots in enumerate(groups):
        there[index, spots] = True
    column, row = np.divmod(np.arange(there.shape[1]), divisions[1])
    turn = (column + 2 * row) % np.maximum(there.sum(axis=0), 1)
    shown = there & (there.cumsum(axis=0) - 1 == turn)
    return [shown[index, spots] for index, spots in enumerate(groups)]
