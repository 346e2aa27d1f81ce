"""IoU, Dice, precision and recall of classes, all from one confusion matrix (truth, prediction)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import torch
from torch import Tensor

from gridgen.data import IGNORE
from gridgen.figures.scores import confusion_png
from gridgen.training.tasks.pixels import Colours
from gridgen.training.tasks.table import ScoreTable

NOTE = (
    "IoU is hits / (hits + misses + false alarms), Dice, which is F1, 2 hits / (2 hits + misses + "
    "false alarms), over all pixels of the split; precision and recall are hits over what was "
    "predicted, and over what is there. A class that neither occurs nor is predicted is left out "
    "of the mean. Ignored pixels count nowhere."
)
CONFUSION_NOTE = "Percent of the pixels of each true class that are taken for each class."


@dataclass(frozen=True)
class OverlapScore:
    """IoU and Dice of each class, in class order; nan for a class that neither occurs nor is
    predicted.
    """

    classes: tuple[str, ...]
    iou: tuple[float, ...]
    dice: tuple[float, ...]
    accuracy: float

    @property
    def mean_iou(self) -> float:
        """Mean over the classes with TP + FP + FN > 0, the rule of the official scorers."""
        return mean(self.iou)

    @property
    def mean_dice(self) -> float:
        """Mean over the same classes; the Dice coefficient is the F1 score."""
        return mean(self.dice)

    value = mean_iou

    def numbers(self) -> dict[str, float]:
        """The three that metrics.csv holds."""
        return {"iou": self.mean_iou, "dice": self.mean_dice, "accuracy": self.accuracy}

    def rows(self) -> list[tuple[str, str]]:
        """Means and accuracy."""
        titles = ("mean IoU", "mean Dice", "accuracy")
        values = (f"{value:.4f}" for value in self.numbers().values())
        return list(zip(titles, values, strict=True))

    def as_json(self) -> dict[str, Any]:
        """Plain numbers; nan becomes None."""
        told: dict[str, Any] = {}
        for name, values in {"iou": self.iou, "dice": self.dice}.items():
            told[f"mean_{name}"] = mean(values)
            told[name] = dict(zip(self.classes, map(known, values), strict=True))
        return told | {"accuracy": self.accuracy}


def known(share: float) -> float | None:
    """A share as JSON and CSV hold it: None for nan, which is a share of nothing."""
    return None if isnan(share) else share


def mean(shares: Iterable[float]) -> float:
    """The mean of the shares that are known; 0 where none is."""
    present = [share for share in map(float, shares) if not isnan(share)]
    return sum(present) / len(present) if present else 0.0


def confusion(prediction: Tensor, label: Tensor, classes: int) -> Tensor:
    """Pixel counts (truth, prediction) of class ids (N, H, W); `IGNORE` is left out."""
    ignored = classes * classes
    # Neither a mask nor `bincount` is used: both would wait for a GPU.
    cells = torch.where(label == IGNORE, ignored, label * classes + prediction).flatten()
    counts = cells.new_zeros(ignored + 1).scatter_add_(0, cells, torch.ones_like(cells))
    return counts[:ignored].view(classes, classes)


def iou(hits: Tensor, misses: Tensor, false: Tensor) -> Tensor:
    """Intersection over union, TP / (TP + FN + FP), of counts or weighted counts.

    In float64; nan where there is nothing to count.
    """
    # In a tensor 0 / 0 is nan, where a Python float raises.
    return hits.double() / (hits + misses + false)


def dice(hits: Tensor, misses: Tensor, false: Tensor) -> Tensor:
    """The Dice coefficient, 2 TP / (2 TP + FN + FP), of the counts that `iou` takes."""
    return 2 * hits.double() / (2 * hits + misses + false)


def precision(hits: Tensor, misses: Tensor, false: Tensor) -> Tensor:
    """Share of what was predicted that is there, TP / (TP + FP)."""
    return hits.double() / (hits + false)


def recall(hits: Tensor, misses: Tensor, false: Tensor) -> Tensor:
    """Share of what is there that was predicted, TP / (TP + FN)."""
    return hits.double() / (hits + misses)


Overlap = Callable[[Tensor, Tensor, Tensor], Tensor]
OVERLAPS: dict[str, tuple[str, Overlap]] = {
    "iou": ("IoU", iou),
    "dice": ("Dice", dice),
    "precision": ("precision", precision),
    "recall": ("recall", recall),
}
"""Title and function of each measure that the table of the classes has."""


def class_overlap(measure: Overlap, matrix: Tensor) -> Tensor:
    """A measure of each class of a confusion matrix, in class order."""
    hits = matrix.diagonal()
    return measure(hits, matrix.sum(1) - hits, matrix.sum(0) - hits)


def score(matrix: Tensor, classes: Sequence[str]) -> OverlapScore:
    """The scores of a confusion matrix (truth, prediction)."""
    hits, total = matrix.diagonal().sum().double(), matrix.sum()
    return OverlapScore(
        classes=tuple(classes),
        iou=tuple(class_overlap(iou, matrix).tolist()),
        dice=tuple(class_overlap(dice, matrix).tolist()),
        accuracy=float(hits / total) if total else 0.0,
    )


def tables(matrix: Tensor, classes: Sequence[str], colours: Colours) -> dict[str, ScoreTable]:
    """The scores of each class, and the confusion matrix itself, by the names of their files."""
    measured = [class_overlap(measure, matrix).tolist() for _, measure in OVERLAPS.values()]
    pixels, predicted = matrix.sum(1), matrix.sum(0)
    shares = (pixels.double() / pixels.sum()).tolist()
    cells = [[known(share) for share in column] for column in (*measured, shares)]
    titles = (title for title, _ in OVERLAPS.values())
    by_class = ScoreTable(
        title="Classes",
        columns=("class", *OVERLAPS, "share", "pixels", "predicted_pixels"),
        titles=("class", *titles, "share of pixels", "pixels", "predicted"),
        rows=list(zip(classes, *cells, pixels.tolist(), predicted.tolist(), strict=True)),
        note=NOTE,
        # One of precision or recall would be over other classes than those that the means are of.
        mean=("mean", *map(mean, measured[:2]), "", "", "", "", ""),
        bar="iou",
        colours=colours,
    )
    counts = ScoreTable(
        title="Confusion",
        columns=("truth", *classes),
        titles=("truth", *classes),
        rows=[(name, *row) for name, row in zip(classes, matrix.tolist(), strict=True)],
        note=CONFUSION_NOTE,
        picture=lambda: confusion_png(matrix.numpy(), classes),
    )
    return {"classes": by_class, "confusion": counts}
