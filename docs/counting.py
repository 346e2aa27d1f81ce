"""Draws docs/counting.svg: the paper's two formulas against the exact counts.

Run it with `python -m docs.counting` in the root of the repository.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridgen.figures import figure_svg
from gridgen.files import write_file
from tests.oracles import closed_form

PICTURE = Path(__file__).with_suffix(".svg")
STREAMS = np.arange(1, 8)
COLUMNS = np.array([[1], [2], [3], [4], [6]])
BASE, SIDE = 16, 64
PAPER = (5, 3)

MARKERS = "o", "s", "D", "^", "v"
SHADES = "#b5b5b5", "#8a8a8a", "#1f5fa8", "#6a6a6a", "#3a3a3a"
GAP = 0.055
"""Of the axis' height, between two labels."""


def parameter_ratios() -> Any:
    """Paper / exact, the grid's units with biases and BN; a row for each number of columns."""
    family = STREAMS, BASE, COLUMNS, COLUMNS
    return closed_form.paper_parameters(*family) / closed_form.grid_parameters(*family)


def activation_ratios() -> Any:
    """Paper / exact, the grid's units; a row for each number of columns."""
    exact = closed_form.grid_activations(STREAMS, BASE, COLUMNS, COLUMNS, SIDE, SIDE)
    return closed_form.paper_activations(BASE, COLUMNS, COLUMNS, SIDE, SIDE) / exact


def drawn() -> bytes:
    """The picture as SVG, the same each time."""
    with matplotlib.rc_context({"font.size": 9}):
        figure = Figure(figsize=(9, 4), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw(left, parameter_ratios(), "parameters", (0.5, 0.7, 1, 1.4, 1.7), at=-1)
        _draw(right, activation_ratios(), "activations", (1, 1.5, 2, 3, 4, 5), at=0)
        return figure_svg(figure, PICTURE.stem)


def _draw(axis: Axes, ratios: Any, what: str, ticks: tuple[float, ...], at: int) -> None:
    """Lines of one panel, labelled where they lie apart: at their first or last point."""
    axis.set(title=f"{what}, paper / exact", xlabel="streams", yscale="log")
    axis.set_yticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.set(ylim=(0.93 * ticks[0], 1.07 * ticks[-1]), xticks=STREAMS)
    axis.set_xlim(*((0.5, 9.6) if at else (-1.7, 7.3)))
    axis.spines[["top", "right"]].set_visible(False)
    axis.axhline(1, color="black", linewidth=0.8, linestyle=(0, (4, 3)))
    for row, shade, marker in zip(ratios, SHADES, MARKERS, strict=True):
        axis.plot(STREAMS, row, color=shade, marker=marker, markersize=4, linewidth=1.3)
    _label(axis, ratios[:, at], at)
    _ring(axis, ratios)


def _label(axis: Axes, ends: Any, at: int) -> None:
    """The columns of each line beside its end, no two labels closer than `GAP`."""
    low, high = axis.get_ylim()
    places = _apart(np.log(ends / low) / np.log(high / low))
    side = 1 if at else -1
    for value, place, (columns,), shade in zip(ends, places, COLUMNS, SHADES, strict=True):
        axis.annotate(
            f"{columns}+{columns}" + (" columns" if columns == 1 else ""),
            xy=(STREAMS[at] + 0.13 * side, value),
            xytext=(STREAMS[at] + 0.5 * side, low * (high / low) ** place),
            color=shade if columns == PAPER[1] else "black",
            ha="left" if at else "right",
            va="center",
            arrowprops={
                "arrowstyle": "-",
                "color": shade,
                "linewidth": 0.7,
                "shrinkA": 2,
                "shrinkB": 0,
                "relpos": (0 if at else 1, 0.5),
            },
        )


def _apart(places: Any) -> Any:
    """The places, moved away from each other until neighbours are `GAP` apart."""
    moved, order = places.copy(), np.argsort(places)
    for _ in range(100):
        for below, above in pairwise(order):
            lacking = max(0, GAP - (moved[above] - moved[below])) / 2
            moved[below] -= lacking
            moved[above] += lacking
    return moved


def _ring(axis: Axes, ratios: Any) -> None:
    """The paper's own network."""
    streams, columns = PAPER
    ratio = ratios[COLUMNS[:, 0] == columns, streams == STREAMS].item()
    axis.plot(streams, ratio, marker="o", markersize=11, fillstyle="none", color="black")
    axis.annotate(
        f"the paper's network: {ratio:.3f}",
        xy=(streams, ratio),
        xytext=(0, 22),
        textcoords="offset points",
        ha="center",
        arrowprops={"arrowstyle": "-", "linewidth": 0.7, "shrinkB": 6},
    )


def main() -> None:
    """Write the picture."""
    write_file(PICTURE, drawn())
    print(f"wrote {PICTURE}")


if __name__ == "__main__":
    main()
