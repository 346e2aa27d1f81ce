"""Figures of a training's scores: its curves, and a confusion matrix."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridgen.figures import figure_png, save_figure

LINES = ("#8a8a8a", "#4f9d3a", "#c2571a")
MOST_WRITTEN = 20
"""Classes up to which the cells hold numbers."""
MOST_NAMED = 80


def draw_curve(
    rows: Sequence[Mapping[str, float]],
    columns: Mapping[str, str],
    title: str,
    path: Path,
    unit: str = "",
    most: float | None = None,
) -> None:
    """Draw the loss and a metric against the epoch, from rows of metrics.csv.

    `columns` says which column a line shows, by its label; `most` is the metric's greatest value.
    """
    from matplotlib.figure import Figure  # half a second that nothing else needs

    epochs = [row["epoch"] for row in rows]
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(epochs, [row["loss"] for row in rows], color="#333333", marker=".")
    left.set(title="training loss", xlabel="epoch", ylim=(0, None))
    for (label, column), colour in zip(columns.items(), LINES, strict=False):
        if column not in rows[0]:
            continue
        values = [row[column] for row in rows]
        right.plot(epochs, values, color=colour, marker=".", label=label)
    right.set(title=f"mean {title}", xlabel="epoch", ylabel=unit.strip())
    if most is not None:
        right.set_ylim(0, most)
    right.legend(frameon=False)
    for axis in (left, right):
        axis.grid(alpha=0.3)
    save_figure(figure, path)


def confusion_png(matrix: NDArray[np.int64], classes: Sequence[str]) -> bytes:
    """Draw the share of each true class (a row) that is taken for each class (a column)."""
    from matplotlib.figure import Figure  # half a second that nothing else needs

    number, longest = len(classes), max(map(len, classes))
    counts = matrix.astype(np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    side = min(max(0.5 * number, 2.2), 14.0)
    margin = min(0.085 * longest, 3.0)
    figure = Figure(figsize=(side + margin + 0.6, side + margin + 0.5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if number <= MOST_NAMED:
        names = [name if len(name) <= 36 else f"{name[:35]}…" for name in classes]
        size = 10 if number <= MOST_WRITTEN else max(4, 200 // number)
        axes.set_xticks(range(number), names, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(number), names)
        axes.tick_params(length=0, labelsize=size)
    axes.set(xlabel="predicted", ylabel="truth")
    for place, share in np.ndenumerate(shares) if number <= MOST_WRITTEN else ():
        if share >= 0.005:
            colour = "white" if share > 0.55 else "#333333"
            row, column = place
            axes.text(column, row, f"{share:.0%}"[:-1], ha="center", va="center", color=colour)
    axes.spines[:].set_visible(False)
    return figure_png(figure)
