"""The curves of a training as a picture."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from gridgen.files import write_file
from gridgen.training.run import Row
from gridgen.training.tasks import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_curve(rows: Sequence[Row], metric: Metric, path: Path) -> None:
    """Loss, and the metric on train and val, against the epoch."""
    from matplotlib.figure import Figure  # half a second that nothing else needs

    epochs = [row["epoch"] for row in rows]
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(epochs, [row["loss"] for row in rows], color="#333333", marker=".")
    left.set(title="training loss", xlabel="epoch", ylim=(0, None))
    for column, colour, label in (
        (metric.train, "#8a8a8a", "train"),
        (metric.val, "#4f9d3a", "val"),
        (metric.holdout, "#c2571a", "held out"),
    ):
        if column not in rows[0]:
            continue
        values = [row[column] for row in rows]
        right.plot(epochs, values, color=colour, marker=".", label=label)
    right.set(title=f"mean {metric.title}", xlabel="epoch", ylabel=metric.unit.strip())
    if metric.most is not None:
        right.set_ylim(0, metric.most)
    right.legend(frameon=False)
    for axis in (left, right):
        axis.grid(alpha=0.3)
    save_figure(figure, path)


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a matplotlib figure as PNG."""
    write_file(path, figure_png(figure))


def figure_png(figure: "Figure") -> bytes:
    """A matplotlib figure as the bytes of a PNG file."""
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=130)
    return drawn.getvalue()
