"""Every image of a split through a network, once, in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gridgen.data import Dataset, Sample
from gridgen.emit import GridNetwork
from gridgen.errors import DataError
from gridgen.progress import OnProgress, no_progress
from gridgen.training.inference import infer
from gridgen.training.inference.requirements import BY_FLAG, BY_RECIPE, within_memory
from gridgen.training.processes import devices
from gridgen.training.processes.prefetch import prefetch
from gridgen.training.recipe.inference import WHOLE, Inference
from gridgen.training.tasks import Score, Task, task_of


class Observer(Protocol):
    """Whoever wants to see what the network says of each image while a split is scored."""

    def see(self, sample: Sample, answer: Tensor) -> None:
        """Called for every image, in the dataset's order.

        `answer` is on the CPU: class ids int64 (H, W), or a restored image (C, H, W) in [0, 1].
        """


@dataclass(frozen=True)
class ImageScore:
    """The score of one image; None where none of its pixels is labelled."""

    name: str
    size: tuple[int, int]
    score: Score | None


@dataclass(frozen=True, eq=False)
class Seen:
    """A sample, the network's prediction for it (1, K, H, W), and its statistics."""

    sample: Sample
    prediction: Tensor
    statistics: Tensor

    def scored(self, task: Task) -> ImageScore:
        """Its score by itself."""
        height, width = self.sample.image.shape[-2:]
        score = task.score(self.statistics) if self.statistics.any() else None
        return ImageScore(self.sample.name, (height, width), score)


def see_images(
    network: GridNetwork,
    dataset: Dataset,
    device: torch.device,
    inference: Inference = WHOLE,
    on_progress: OnProgress = no_progress,
    fix: str = BY_FLAG,
    workers: int = 0,
) -> Iterator[Seen]:
    """The images that are this process's share; sums of windows stay on the CPU.

    `workers` processes load them. Where memory runs out, `fix` is told. Errors:
    `OutOfMemoryError`.
    """
    task = task_of(dataset)
    mine = range(devices.rank(), len(dataset), devices.world_size())
    samples = prefetch(dataset.__getitem__, mine, workers)
    for index, sample in zip(mine, samples, strict=True):
        image = sample.image[None] if inference.window else sample.image[None].to(device)
        with within_memory(sample.name, fix):
            prediction = infer(network, image, inference)
        statistics = task.statistics(prediction, sample.label[None].to(prediction.device))
        yield Seen(sample, prediction, statistics)
        on_progress(index + 1, len(dataset))


def score_network(
    network: GridNetwork,
    dataset: Dataset,
    device: torch.device,
    on_progress: OnProgress = no_progress,
    inference: Inference = WHOLE,
    workers: int = 0,
) -> Score:
    """Score the predictions of `network` for `dataset`, from the statistics of all images.

    Leaves the network in the mode it was in. Of several processes each scores a share, and all
    get the whole score. For training: where memory runs out, the recipe is to be changed.
    """
    training, task = network.training, task_of(dataset)
    statistics = task.no_statistics().to(device)
    images = see_images(network.eval(), dataset, device, inference, on_progress, BY_RECIPE, workers)
    for seen in images:
        statistics += seen.statistics.to(device)
    network.train(training)
    statistics = devices.summed(statistics)
    require_labelled(statistics, dataset, "validation")
    return task.score(statistics)


def require_labelled(statistics: Tensor, dataset: Dataset, split: str) -> None:
    """There was anything to score, or a `DataError`."""
    if not statistics.any():
        fact = f"{dataset.name}, {split}: no pixel of its {len(dataset)} images has a class"
        raise DataError(f"{fact}, so there is nothing to score; label some")


def worst_first(images: Sequence[ImageScore]) -> list[ImageScore]:
    """Sort by the metric, the least first; images without a score come last."""
    return sorted(images, key=lambda image: (image.score is None, value_of(image)))


def value_of(image: ImageScore) -> float:
    """The metric of an image; 0 where it has none."""
    return image.score.value if image.score else 0.0
