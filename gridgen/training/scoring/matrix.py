"""The picture of a confusion matrix."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from gridgen.training.scoring.curves import figure_png

MOST_WRITTEN = 20
"""Classes up to which the cells hold numbers."""
MOST_NAMED = 80


def confusion_png(matrix: Tensor, classes: Sequence[str]) -> bytes:
    """Of each true class (a row) the share that is taken for each class (a column), in percent."""
    from matplotlib.figure import Figure  # half a second that nothing else needs

    number, longest = len(classes), max(map(len, classes))
    counts = matrix.double().numpy()
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
