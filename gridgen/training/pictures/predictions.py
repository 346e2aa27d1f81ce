"""Images beside the truth and what was predicted (figure 5)."""

from pathlib import Path

import torch

from gridgen.data import Dataset
from gridgen.emit import GridNetwork
from gridgen.files import write_file
from gridgen.training.inference import WHOLE, Inference, infer
from gridgen.training.inference.require import BY_RECIPE, within_memory
from gridgen.training.pictures.sheet import image_pixels, sheet
from gridgen.training.tasks import task_of

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
    rows = []
    images = min(len(dataset), SHOWN)
    for number in range(images):
        sample = dataset[number * len(dataset) // images]
        image = sample.image[None] if inference.window else sample.image[None].to(device)
        with within_memory(sample.name, BY_RECIPE):
            answer = task.answer(infer(network, image, inference))
        shown = (sample.label, task.masked(answer, sample.label))
        rows.append([image_pixels(sample.image), *map(task.pixels, shown)])
    titles = ("image", "truth", "prediction")
    write_file(path, sheet(rows, titles, task.classes, task.colours))
