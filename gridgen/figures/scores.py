"""Figures of scores: the curves of a training, a confusion matrix, one score against another."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridgen.figures import figure_png, legend_beside, new_figure, save_figure
from gridgen.figures.palette import LIGHT, SPLITS, topology_style
from gridgen.names import escaped

MOST_WRITTEN = 20
"""Number of classes up to which the cells of a confusion matrix hold numbers."""
MOST_NAMED = 80
"""Number of classes up to which a confusion matrix names them."""


def draw_curve(
    rows: Sequence[Mapping[str, float]],
    columns: Mapping[str, str],
    title: str,
    path: Path,
    unit: str = "",
    most: float | None = None,
) -> None:
    """Draw the loss and a metric against the epoch, from rows of metrics.csv.

    `columns` maps each split to its column; `most` is the metric's greatest value.
    """
    epochs = [row["epoch"] for row in rows]
    figure, (left, right) = new_figure(9, 3.4, parts=2)
    left.plot(epochs, [row["loss"] for row in rows], color=LIGHT.mark, marker=".")
    left.set(title="training loss", xlabel="epoch", ylim=(0, None))
    for split, column in columns.items():
        if column in rows[0]:
            values = [row[column] for row in rows]
            right.plot(epochs, values, color=SPLITS[split], marker=".", label=split)
    right.set(title=f"mean {title}", xlabel="epoch", ylabel=unit.strip())
    if most is not None:
        right.set_ylim(0, most)
    right.legend(frameon=False)
    save_figure(figure, path)


def draw_compared(
    scores: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    parameters: Sequence[int],
    named: Mapping[int, str],
    labels: tuple[str, str],
    path: Path,
) -> None:
    """Draw two scores of each network against each other, by the title of an axis.

    `named` has the places of those whose topologies have names; the others are the darker, the more
    parameters they have. `labels` are those of the first and of the second score.
    """
    figure, axes = new_figure(4.2 * len(scores) + 1.4, 4.6, parts=len(scores))
    for axis, (title, (across, up)) in zip(axes, scores.items(), strict=True):
        points = axis.scatter(
            across, up, 18, parameters, cmap="Greys", edgecolors=LIGHT.quiet, linewidths=0.4
        )
        for place, name in named.items():
            axis.scatter(across[place], up[place], s=60, label=name, **topology_style(name))
        # Limits as they are: the line on which both are equal may lie far from the points.
        axis.autoscale(False)
        axis.axline((0, 0), slope=1, color=LIGHT.quiet, linewidth=1, linestyle=":")
        axis.set(title=title, xlabel=labels[0], ylabel=labels[1])
    if named:
        legend_beside(axes[-1])
    bar = figure.colorbar(points, ax=axes, format="{x:,.0f}", location="bottom", shrink=0.7)
    bar.set_label("parameters")
    save_figure(figure, path)


def confusion_png(matrix: NDArray[np.int64], classes: Sequence[str]) -> bytes:
    """Draw the share of each true class (a row) that is taken for each class (a column)."""
    number, longest = len(classes), max(map(len, classes))
    counts = matrix.astype(np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    side = min(max(0.5 * number, 2.2), 14.0)
    margin = min(0.085 * longest, 3.0)
    figure, (axes,) = new_figure(side + margin + 0.6, side + margin + 0.5)
    axes.grid(False)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if number <= MOST_NAMED:
        short = [name if len(name) <= 36 else f"{name[:35]}…" for name in classes]
        names = [escaped(name) for name in short]
        size = 10 if number <= MOST_WRITTEN else max(4, 200 // number)
        axes.set_xticks(range(number), names, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(number), names)
        axes.tick_params(length=0, labelsize=size)
    axes.set(xlabel="predicted", ylabel="truth")
    for place, share in np.ndenumerate(shares) if number <= MOST_WRITTEN else ():
        if share >= 0.005:
            colour = LIGHT.paper if share > 0.55 else LIGHT.ink
            row, column = place
            axes.text(column, row, f"{share:.0%}"[:-1], ha="center", va="center", color=colour)
    axes.spines[:].set_visible(False)
    return figure_png(figure)
