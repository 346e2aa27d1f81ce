"""The images of a split, each through a network once: its score, and pictures of worst and best."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from PIL import Image
from torch import Tensor, nn

from gridgen.data import Dataset, Sample
from gridgen.data.dataset import require_ids
from gridgen.data.labelled import nothing_labelled
from gridgen.errors import DataError
from gridgen.images.rows import ImageRows, RowSource
from gridgen.progress import OnProgress, no_progress
from gridgen.training.bands import Band, infer, infer_bands
from gridgen.training.inference import WHOLE, Inference
from gridgen.training.processes import devices
from gridgen.training.processes.prefetch import prefetch
from gridgen.training.tasks import Score, Task, task_of
from gridgen.training.tasks.pixels import Pixels, encoded, image_pixels
from gridgen.training.tasks.requirements import BY_FLAG, within_memory


@runtime_checkable
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

    @property
    def value(self) -> float:
        """The metric; 0 where there is no score."""
        return self.score.value if self.score else 0.0


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


@dataclass(frozen=True, eq=False)
class Predictor:
    """A network that predicts images on a device; where memory runs out, `fix` is told."""

    network: nn.Module
    device: torch.device
    inference: Inference = WHOLE
    fix: str = BY_FLAG

    def predict(self, image: Tensor, name: str, on_progress: OnProgress = no_progress) -> Tensor:
        """(C, H, W) -> (1, K, H, W); sums of windows stay on the CPU. Errors: `OutOfMemoryError`.

        `name` is what errors call the image; `on_progress` is called for each window.
        """
        with within_memory(name, self.fix):
            given = image if self.inference.window else image.to(self.device)
            return infer(self.network, given, self.inference, on_progress)

    def bands(
        self, image: RowSource, name: str, on_progress: OnProgress = no_progress
    ) -> Iterator[Band]:
        """The same of an image that is read as windows come to its rows. Errors: those of `image`
        too.
        """
        with within_memory(name, self.fix):
            if not self.inference.window:
                whole = image.rows(0, image.size[0])
                image = ImageRows(whole.levels.to(self.device), whole.valid)
            yield from infer_bands(self.network, image, self.inference, on_progress)


def see_images(
    predictor: Predictor,
    dataset: Dataset,
    on_progress: OnProgress = no_progress,
    workers: int = 0,
) -> Iterator[Seen]:
    """The images that are this process's share, loaded by `workers` processes.

    Errors: `DataError` for an image that cannot be read, and a label that is no class;
    `OutOfMemoryError`.
    """
    task = task_of(dataset)
    mine = range(devices.rank(), len(dataset), devices.world_size())
    samples = prefetch(dataset.__getitem__, mine, workers)
    for index, sample in zip(mine, samples, strict=True):
        require_ids(dataset, sample.name, sample.label)
        prediction = predictor.predict(sample.image, sample.name)
        statistics = task.statistics(prediction, sample.label[None].to(prediction.device))
        yield Seen(sample, prediction, statistics)
        on_progress(index + 1, len(dataset))


def statistics_of(
    predictor: Predictor,
    dataset: Dataset,
    on_progress: OnProgress = no_progress,
    workers: int = 0,
) -> Tensor:
    """The task's statistics of the predictions for `dataset`, summed over all images.

    Leaves the network in the mode it was in. Of several processes each predicts a share, and all
    get the whole sum. Errors: as `see_images`, and `DataError` where nothing is labelled.
    """
    network, device, task = predictor.network, predictor.device, task_of(dataset)
    training, statistics = network.training, task.no_statistics().to(device)
    network.eval()
    for seen in see_images(predictor, dataset, on_progress, workers):
        statistics += seen.statistics.to(device)
    network.train(training)
    statistics = devices.summed(statistics)
    require_scored(statistics, dataset, "validation")
    return statistics


def require_scored(statistics: Tensor, dataset: Dataset, split: str) -> None:
    """There was anything to score, or a `DataError`."""
    if not statistics.any():
        raise DataError(nothing_labelled(dataset.name, split, len(dataset)))


def worst_first(images: Sequence[ImageScore]) -> list[ImageScore]:
    """Sort by the metric, the least first; images without a score come last."""
    return sorted(images, key=lambda image: (image.score is None, image.value))


WIDEST = 480
"""Pixels of a picture's longer side; a larger image is shown smaller."""
EXACT = 160
"""Longest side of pictures that are kept lossless, since a page enlarges them."""


@dataclass(frozen=True)
class Exhibit:
    """One image: WebP of it and of where the prediction is wrong, PNG of truth and prediction."""

    image: ImageScore
    given: bytes
    truth: bytes
    prediction: bytes
    faults: bytes
    size: tuple[int, int]
    """(height, width) of each picture."""

    @property
    def exact(self) -> bool:
        """True where the pictures are so small that single pixels matter."""
        return max(self.size) <= EXACT


@dataclass
class Gallery:
    """The `least` images that are predicted worst and the `most` that are predicted best so far.

    Holds the files of their pictures, so that any split fits into memory.
    """

    least: int = 24
    most: int = 4
    worst: list[Exhibit] = field(default_factory=list)
    best: list[Exhibit] = field(default_factory=list)

    def offer(self, image: ImageScore, sample: Sample, answer: Tensor, task: Task) -> None:
        """Keep the image if it is among them."""
        if image.score is None:
            return
        exhibit = None
        for kept, room, sign in ((self.worst, self.least, 1), (self.best, self.most, -1)):
            # Equal images come behind those that were first, so that the order is the data's.
            place = bisect_right([sign * each.image.value for each in kept], sign * image.value)
            if place < room:
                exhibit = exhibit or _exhibit(image, sample, answer, task)
                kept.insert(place, exhibit)
                del kept[room:]

    def apart(self) -> list[Exhibit]:
        """The best that are not among the worst."""
        names = {each.image.name for each in self.worst}
        return [each for each in self.best if each.image.name not in names]


def _exhibit(image: ImageScore, sample: Sample, answer: Tensor, task: Task) -> Exhibit:
    label, shown = sample.label, task.masked(answer, sample.label)
    given = image_pixels(sample.image)
    factor = min(WIDEST / max(image.size), 1)
    size = max(round(image.size[0] * factor), 1), max(round(image.size[1] * factor), 1)
    resampling = task.label_resampling
    return Exhibit(
        image,
        _webp(_small(given, size, Image.Resampling.LANCZOS)),
        _png(_small(task.pixels(label), size, resampling)),
        _png(_small(task.pixels(shown), size, resampling)),
        _webp(_small(task.faults(given, label, answer), size, resampling)),
        size,
    )


def _small(pixels: Pixels, size: tuple[int, int], resampling: Image.Resampling) -> Image.Image:
    picture, (height, width) = Image.fromarray(pixels), size
    return picture.resize((width, height), resampling)


def _webp(picture: Image.Image) -> bytes:
    """Encode as WebP, lossless where the picture is small, and so will be enlarged."""
    return encoded(picture, "WEBP", quality=80, lossless=max(picture.size) <= EXACT)


def _png(picture: Image.Image) -> bytes:
    """Encode as PNG, with a palette where colours are few, as those of classes are."""
    colours = picture.getcolors(256)
    few = picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=256) if colours else picture
    return encoded(few, optimize=True)
