"""Binning: points that a figure draws on the same spot are drawn once, as one larger mark."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]


class Points(NamedTuple):
    """Positive coordinates of points in a plane."""

    x: Numbers
    y: Numbers


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
