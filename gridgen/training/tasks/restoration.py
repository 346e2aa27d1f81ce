"""Restoration: what was the image before it was spoilt?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import torch
from PIL import Image
from torch import Tensor

from gridgen.data import Dataset, Sample
from gridgen.data.dataset import require_image_tensor
from gridgen.errors import DataError, SpecError
from gridgen.images.writing import encode
from gridgen.progress import OnProgress
from gridgen.training.recipe.losses import Charbonnier, Loss, Truth, total_loss
from gridgen.training.recipe.recipe import Recipe
from gridgen.training.tasks.pixels import Colours, Pixels, image_pixels
from gridgen.training.tasks.table import ScoreTable
from gridgen.training.tasks.task import Metric

# An image that equals its label has an infinite PSNR, which no mean could hold.
LEAST_ERROR = 1e-10
GAIN = 5
"""Factor by which an error is multiplied to be seen in a picture."""

PSNR = Metric("psnr", "PSNR", digits=2, unit=" dB")


@dataclass(frozen=True)
class Fidelity:
    """Peak signal-to-noise ratio in dB, averaged over images."""

    value: float

    def numbers(self) -> dict[str, float]:
        """The PSNR, which metrics.csv and JSON hold."""
        return {"psnr": self.value}

    as_json = numbers

    def by_class(self) -> dict[str, float]:
        """There are no classes."""
        return {}

    def rows(self) -> list[tuple[str, str]]:
        """A report's line with the PSNR."""
        return [("PSNR", PSNR.shown(self.value))]


@dataclass(frozen=True)
class Restoration:
    """A sum of losses; PSNR against the label, an image (N, C, H, W) in [0, 1].

    The statistics are the sum of the images' PSNRs and their number.
    """

    terms: tuple[Loss, ...] = (Charbonnier(),)

    classes: ClassVar[Sequence[str]] = ()
    colours: ClassVar[Colours] = ()
    name: ClassVar[str] = "restoration"
    metric: ClassVar[Metric] = PSNR
    numbers: ClassVar[Mapping[str, str]] = {"psnr": "PSNR"}
    losses: ClassVar[tuple[str, ...]] = ("charbonnier",)
    resizable: ClassVar[bool] = False  # noise would be smoothed or spread
    baseline: ClassVar[str] = "the image as it is given"
    ending: ClassVar[str] = "restored"
    label_resampling: ClassVar[Image.Resampling] = Image.Resampling.LANCZOS
    answer_title: ClassVar[str] = "restored"
    faults_title: ClassVar[str] = "error"
    pictures_note: ClassVar[str] = (
        "Ordered by the PSNR of the image alone. The error is shown five times as large."
    )

    @classmethod
    def of(cls, classes: Sequence[str], colours: Colours) -> Self:
        """The task, which has neither classes nor colours."""
        return cls()

    def outputs(self, dataset: Dataset) -> int:
        """A prediction has as many channels as the image."""
        return dataset.channels

    def require(self, recipe: Recipe, dataset: Dataset) -> None:
        """The recipe says nothing of classes, and its crops and images stay as they are.

        Errors: `SpecError` at the field; `DataError` for an image that is smaller than the crops.
        """
        name = dataset.name
        for field in ("class_weights", "label_smoothing"):
            if getattr(recipe, field) not in ("none", 0):
                fact = f"{name} has images for labels, no classes; remove this field"
                raise recipe.blame(SpecError(fact, (field,)))
        _require_crops_as_they_are(recipe, dataset)
        if recipe.augmentation is not None and any(value > 0 for _, value in recipe.augmentation):
            fact = f"{name} has images for labels, which this would change; set augmentation: null"
            raise recipe.blame(SpecError(fact, ("augmentation",)))

    def require_label(self, sample: Sample) -> None:
        """The label is an image as the given one."""
        require_image_tensor("the label, an image,", sample.label, sample.image.shape)

    def with_loss(self, recipe: Recipe, weights: Sequence[float] | None) -> Self:
        """The task with a recipe's losses; `require` refuses one that weighs classes."""
        return replace(self, terms=recipe.loss or self.terms)

    def loss(self, prediction: Tensor, labels: Tensor) -> Tensor:
        """The sum of its losses."""
        return total_loss(self.terms, prediction, Truth(labels))

    def distance(self, prediction: Tensor, teacher: Tensor) -> Tensor:
        """The sum of its losses, as if the teacher's image were the label."""
        return self.loss(prediction, teacher.detach().float())

    def no_statistics(self) -> Tensor:
        """A sum and a number of 0."""
        return torch.zeros(2, dtype=torch.float64)

    def statistics(self, prediction: Tensor, labels: Tensor) -> Tensor:
        """Sum of PSNRs and number of images, predictions clamped to [0, 1] as in a file."""
        errors = (prediction.float().clamp(0, 1) - labels).square().mean((1, 2, 3))
        ratios = -10 * errors.double().clamp(min=LEAST_ERROR).log10()
        return torch.stack([ratios.sum(), ratios.new_tensor(len(ratios))])

    def score(self, statistics: Tensor) -> Fidelity:
        """The mean PSNR; 0 for no image."""
        total, images = statistics.tolist()
        return Fidelity(total / max(images, 1))

    def tables(self, statistics: Tensor) -> Mapping[str, ScoreTable]:
        """None: the PSNR is all there is to say."""
        return {}

    def remarks(self, statistics: Tensor, split: str) -> list[str]:
        """Nothing is known to be odd."""
        return []

    def score_baseline(
        self, train: Callable[[], Dataset], dataset: Dataset, on_progress: OnProgress
    ) -> Fidelity:
        """The PSNR of the image that the network is given."""
        total = self.no_statistics()
        for index in range(len(dataset)):
            sample = dataset[index]
            total += self.statistics(sample.image[None], sample.label[None])
            on_progress(index + 1, len(dataset))
        return self.score(total)

    def answer(self, prediction: Tensor) -> Tensor:
        """The restored image, (C, H, W) in [0, 1]."""
        return prediction[0].float().clamp(0, 1).cpu()

    def masked(self, answer: Tensor, label: Tensor) -> Tensor:
        """The whole answer, as every pixel is scored."""
        return answer

    def blanked(self, answer: Tensor, valid: Tensor) -> Tensor:
        """0 where the image has no value, as it is read."""
        return answer.masked_fill(~valid, 0)

    def pixels(self, label: Tensor) -> Pixels:
        """The image in 8 bits."""
        return image_pixels(label)

    def faults(self, image: Pixels, label: Tensor, answer: Tensor) -> Pixels:
        """The absolute error of the restored image, five times as large."""
        return image_pixels(((answer - label).abs() * GAIN).clamp(0, 1))

    def legend(self, labels: Sequence[Tensor]) -> tuple[Sequence[str], Colours]:
        """No legend, as colours stand for themselves."""
        return self.classes, self.colours

    def suffix(self, outputs: int) -> str:
        """A PNG of grey or RGB, a TIFF of any other number of channels."""
        return ".png" if outputs in (1, 3) else ".tif"

    def encode(self, answer: Tensor, bits: int) -> bytes:
        """All channels."""
        return encode(answer, bits, self.suffix(len(answer)))


def _require_crops_as_they_are(recipe: Recipe, dataset: Dataset) -> None:
    """No crop of `dataset` is resized, which would change the noise on it."""
    crop, name = recipe.crop, dataset.name
    shorter, index = min((min(size), index) for index, size in enumerate(dataset.sizes))
    if not crop.smallest == crop.largest == crop.size:
        sides = f"smallest {crop.smallest}, largest {crop.largest} and size {crop.size} differ"
        fact, side = f"{sides}, but resizing changes the noise of {name}", min(crop.size, shorter)
        raise recipe.blame(SpecError(f"{fact}; set all three to {side}", ("crop",)))
    if shorter < crop.size:
        height, width = dataset.sizes[index]
        raise DataError(
            f"{name}, train, image {dataset[index].name}: Image is {height}x{width}; enlarging it "
            f"to crops of {crop.size} changes the noise. Set smallest, largest and size of the "
            f"recipe's crop to {shorter} or less, or remove the image."
        )
