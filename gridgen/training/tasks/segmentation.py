"""Segmentation: which class is each pixel of?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import cross_entropy

from gridgen.data import IGNORE, Dataset, Sample
from gridgen.data.dataset import require_classes, require_numbers
from gridgen.data.labelled import absent_classes, require_two_classes
from gridgen.errors import DataError
from gridgen.progress import OnProgress
from gridgen.training.recipe.losses import CrossEntropy, Loss, Truth, total_loss
from gridgen.training.recipe.recipe import Recipe
from gridgen.training.tasks.lookup import fitted_lookup
from gridgen.training.tasks.overlap import OVERLAPS, OverlapScore, confusion, score, tables
from gridgen.training.tasks.pixels import Colours, Pixels, encoded, label_pixels
from gridgen.training.tasks.table import ScoreTable
from gridgen.training.tasks.task import Metric

WRONG = (213, 94, 0)
"""Vermillion, which also the colour-blind tell from grey."""
OPACITY = 0.75
"""Share of vermillion in a wrong pixel."""


@dataclass(frozen=True)
class Segmentation:
    """A sum of losses; mean IoU and Dice from one confusion matrix (K, K), which is the statistics.

    `weights` of the classes and `smoothing` of the labels are of the losses alone.
    """

    classes: tuple[str, ...]
    colours: Colours
    terms: tuple[Loss, ...] = (CrossEntropy(),)
    weights: tuple[float, ...] | None = None
    smoothing: float = 0.0

    name: ClassVar[str] = "segmentation"
    metric: ClassVar[Metric] = Metric("iou", "IoU", digits=4, most=1.0)
    numbers: ClassVar[Mapping[str, str]] = {
        **{name: measure.title for name, measure in OVERLAPS.items() if measure.averaged},
        "accuracy": "accuracy",
    }
    losses: ClassVar[tuple[str, ...]] = ("cross-entropy", "dice", "focal")
    resizable: ClassVar[bool] = True
    baseline: ClassVar[str] = "best class per intensity, fitted on train"
    ending: ClassVar[str] = "labels"
    # A mean of two class ids would be a third class.
    label_resampling: ClassVar[Image.Resampling] = Image.Resampling.NEAREST
    answer_title: ClassVar[str] = "prediction"
    faults_title: ClassVar[str] = "wrong"
    pictures_note: ClassVar[str] = (
        "Ordered by the mean IoU of the image alone. Under wrong, vermillion marks pixels of "
        "another class than the truth; ignored pixels are black."
    )

    @classmethod
    def of(cls, classes: Sequence[str], colours: Colours) -> Self:
        """The task of telling these classes apart."""
        return cls(tuple(classes), colours)

    def outputs(self, dataset: Dataset) -> int:
        """A prediction has a logit for each class."""
        return len(dataset.classes)

    def require(self, recipe: Recipe, dataset: Dataset) -> None:
        """Two classes or more, which every recipe can train."""
        require_two_classes(dataset)

    def require_label(self, sample: Sample) -> None:
        """Each pixel has the number of a class, or `IGNORE`."""
        require_numbers("the label", sample.label, torch.int64, sample.image)
        require_classes("the label", sample.label, len(self.classes))

    def with_loss(self, recipe: Recipe, weights: Sequence[float] | None) -> Self:
        """The task with the losses, class weights and label smoothing of a recipe."""
        return replace(
            self,
            terms=recipe.loss or self.terms,
            weights=tuple(weights) if weights else None,
            smoothing=recipe.label_smoothing,
        )

    def loss(self, prediction: Tensor, labels: Tensor) -> Tensor:
        """The sum of its losses; 0 where no pixel of the batch is labelled."""
        weights = _on(prediction.device, self.weights) if self.weights else None
        return total_loss(self.terms, prediction, Truth(labels, weights, self.smoothing))

    def distance(self, prediction: Tensor, teacher: Tensor) -> Tensor:
        """Cross-entropy from the teacher's probabilities, a mean over all pixels (Hinton et al.,
        2015, at temperature 1).
        """
        return cross_entropy(prediction.float(), teacher.detach().float().softmax(1))

    def no_statistics(self) -> Tensor:
        """A confusion matrix without a pixel."""
        return torch.zeros(len(self.classes), len(self.classes), dtype=torch.int64)

    def statistics(self, prediction: Tensor, labels: Tensor) -> Tensor:
        """Pixel counts (truth, prediction)."""
        return confusion(prediction.argmax(1), labels, len(self.classes))

    def score(self, statistics: Tensor) -> OverlapScore:
        """IoU and Dice of each class, and accuracy."""
        return score(statistics, self.classes)

    def tables(self, statistics: Tensor) -> Mapping[str, ScoreTable]:
        """Each class, and which one is taken for which."""
        return tables(statistics, self.classes, self.colours)

    def remarks(self, statistics: Tensor, split: str) -> list[str]:
        """Classes without a pixel in the split, and a network that predicts one class only."""
        absent = absent_classes(split, self.classes, statistics.sum(1).tolist())
        predicted = statistics.sum(0).nonzero().flatten().tolist()
        lines = [absent] if absent else []
        if len(predicted) == 1:
            name = self.classes[predicted[0]]
            lines.append(f"{split}: the network takes every pixel for {name}")
        return lines

    def score_baseline(
        self, train: Callable[[], Dataset], dataset: Dataset, on_progress: OnProgress
    ) -> OverlapScore | None:
        """The lookup's score, fitted on `train`; None where the data has no such split."""
        try:
            fitted_on = train()
        except DataError:
            return None
        return self.score(fitted_lookup(fitted_on, dataset, on_progress))

    def answer(self, prediction: Tensor) -> Tensor:
        """The class of the greatest logit, (H, W)."""
        return prediction.argmax(1)[0].cpu()

    def masked(self, answer: Tensor, label: Tensor) -> Tensor:
        """The answer, ignored where the label is."""
        return answer.masked_fill(label == IGNORE, IGNORE)

    def blanked(self, answer: Tensor, valid: Tensor) -> Tensor:
        """`IGNORE` where the image has no value, as its label would be."""
        return answer.masked_fill(~valid, IGNORE)

    def pixels(self, label: Tensor) -> Pixels:
        """The colours of the classes; what is ignored is black."""
        return label_pixels(label, self.colours)

    def faults(self, image: Pixels, label: Tensor, answer: Tensor) -> Pixels:
        """Wrong pixels vermillion on the image in pale grey, ignored ones black."""
        grey = image.mean(axis=2, keepdims=True) * 0.5 + 110
        picture = np.repeat(grey, 3, axis=2).clip(0, 255).astype(np.uint8)
        wrong = ((answer != label) & (label != IGNORE)).numpy()
        picture[wrong] = picture[wrong] * (1 - OPACITY) + np.array(WRONG) * OPACITY
        picture[(label == IGNORE).numpy()] = 0
        return picture

    def legend(self, labels: Sequence[Tensor]) -> tuple[Sequence[str], Colours]:
        """The classes, and black for what is not labelled, if there is such."""
        if any((label == IGNORE).any() for label in labels):
            return [*self.classes, "not labelled"], [*self.colours, (0, 0, 0)]
        return self.classes, self.colours

    def suffix(self, outputs: int) -> str:
        """A PNG, whatever the number of classes."""
        return ".png"

    def encode(self, answer: Tensor, bits: int) -> bytes:
        """Pixel value = class id, with the colours as its palette; what is ignored is black."""
        picture = Image.fromarray(answer.byte().numpy())
        # Of a shorter palette Pillow would write 2 bits a pixel, in which `IGNORE` is a class.
        black = [(0, 0, 0)] * (256 - len(self.colours))
        picture.putpalette([value for colour in (*self.colours, *black) for value in colour])
        return encoded(picture)


@lru_cache
def _on(device: torch.device, weights: tuple[float, ...]) -> Tensor:
    """The weights on a device, sent there once."""
    return torch.tensor(weights, device=device)
