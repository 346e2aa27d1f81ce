"""Images beside the truth and what was predicted (figure 5)."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from gridgen.data import IGNORE, Dataset
from gridgen.emit import GridNetwork
from gridgen.files import write_file
from gridgen.training.inference import WHOLE, Inference, infer
from gridgen.training.inference.require import BY_RECIPE, within_memory
from gridgen.training.pictures.sheet import image_pixels, sheet
from gridgen.training.tasks import Task, task_of

SHOWN = 6


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
    rows, labels = [], []
    images = min(len(dataset), SHOWN)
    for number in range(images):
        sample = dataset[number * len(dataset) // images]
        image = sample.image[None] if inference.window else sample.image[None].to(device)
        with within_memory(sample.name, BY_RECIPE):
            answer = task.answer(infer(network, image, inference))
        shown = (sample.label, task.masked(answer, sample.label))
        rows.append([image_pixels(sample.image), *map(task.pixels, shown)])
        labels.append(sample.label)
    titles = ("image", "truth", "prediction")
    write_file(path, sheet(rows, titles, *_legend(task, labels)))


def _legend(task: Task, labels: list[Tensor]) -> tuple[list[str], list[Sequence[int]]]:
    """Names and colours of what the pictures show."""
    names, colours = list(task.classes), list(task.colours)
    if names and any((label == IGNORE).any() for label in labels):
        return [*names, "not labelled"], [*colours, (0, 0, 0)]
    return names, colours
