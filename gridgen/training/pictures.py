"""Pictures of a training: the curve, and images beside what was predicted (figure 5)."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from gridgen.data import Dataset
from gridgen.emit import GridNetwork
from gridgen.files import write_file
from gridgen.training.inference import WHOLE, Inference, infer
from gridgen.training.run import Row
from gridgen.training.sheet import image_pixels, sheet
from gridgen.training.tasks import Metric, task_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 6


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


@torch.no_grad()
def draw_predictions(
    network: GridNetwork,
    dataset: Dataset,
    device: torch.device,
    path: Path,
    inference: Inference = WHOLE,
) -> None:
    """Image, truth and prediction side by side, for a few images of `dataset`.

    They lie evenly in its order: neighbours are often frames of one clip.
    """
    network.eval()
    task = task_of(dataset)
    rows = []
    images = min(len(dataset), SHOWN)
    for number in range(images):
        sample = dataset[number * len(dataset) // images]
        image = sample.image[None] if inference.window else sample.image[None].to(device)
        answer = task.answer(infer(network, image, inference))
        shown = (sample.label, task.masked(answer, sample.label))
        rows.append([image_pixels(sample.image), *map(task.pixels, shown)])
    titles = ("image", "truth", "prediction")
    write_file(path, sheet(rows, titles, task.classes, task.colours))
