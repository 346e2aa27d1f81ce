"""IoU, Dice, precision and recall of classes, all from one confusion matrix (truth, prediction)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import torch
from torch import Tensor

from gridgen.data import IGNORE
from gridgen.figures.scores import confusion_png
from gridgen.training.tasks.pixels import Colours
from gridgen.training.tasks.table import Cell, ScoreTable

NOTE = (
    "IoU is hits / (hits + misses + false alarms), Dice, which is F1, 2 hits / (2 hits + misses + "
    "false alarms), over all pixels of the split; precision and recall are hits over what was "
    "predicted, and over what is there. A class that neither occurs nor is predicted is left out "
    "of the mean. Ignored pixels count nowhere."
)
CONFUSION_NOTE = "Percent of the pixels of each true class that are taken for each class."


@dataclass(frozen=True)
class OverlapScore:
    """The measures of each class whose means are scores, and the share of pixels that is right.

    Attributes:
        classes: names of the classes.
        shares: a value of each class, in that order, by the names of `OVERLAPS`; nan for a class
            that neither occurs nor is predicted.
        accuracy: hits of all classes over all pixels.
    """

    classes: tuple[str, ...]
    shares: Mapping[str, tuple[float, ...]]
    accuracy: float

    @property
    def means(self) -> dict[str, float]:
        """Means over the classes with TP + FP + FN > 0, the rule of the official scorers."""
        return {name: mean(shares) for name, shares in self.shares.items()}

    @property
    def value(self) -> float:
        """Mean IoU."""
        return self.means["iou"]

    def numbers(self) -> dict[str, float]:
        """What metrics.csv holds: the means and the accuracy."""
        return {**self.means, "accuracy": self.accuracy}

    def by_class(self) -> dict[str, float]:
        """The IoU of each class."""
        return dict(zip(self.classes, self.shares["iou"], strict=True))

    def rows(self) -> list[tuple[str, str]]:
        """Means and accuracy."""
        titles = [*(f"mean {OVERLAPS[name].title}" for name in self.shares), "accuracy"]
        values = (f"{value:.4f}" for value in self.numbers().values())
        return list(zip(titles, values, strict=True))

    def as_json(self) -> dict[str, Any]:
        """Plain numbers; nan becomes None."""
        told: dict[str, Any] = {}
        for name, shares in self.shares.items():
            told[f"mean_{name}"] = self.means[name]
            told[name] = dict(zip(self.classes, map(known, shares), strict=True))
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


@dataclass(frozen=True)
class Measure:
    """A share of each class, computed by `of` from counts of hits, misses and false alarms.

    The mean of those that are `averaged` is a number of the score, which a search may maximize.
    One of precision or recall would be over other classes than those that have an IoU.
    """

    title: str
    of: Overlap
    averaged: bool = False


OVERLAPS: dict[str, Measure] = {
    "iou": Measure("IoU", iou, averaged=True),
    "dice": Measure("Dice", dice, averaged=True),
    "precision": Measure("precision", precision),
    "recall": Measure("recall", recall),
}
"""The measures in the table of the classes, by the names of its columns."""


def class_overlap(measure: Overlap, matrix: Tensor) -> Tensor:
    """A measure of each class of a confusion matrix, in class order."""
    hits = matrix.diagonal()
    return measure(hits, matrix.sum(1) - hits, matrix.sum(0) - hits)


def score(matrix: Tensor, classes: Sequence[str]) -> OverlapScore:
    """The scores of a confusion matrix (truth, prediction)."""
    hits, total = matrix.diagonal().sum().double(), matrix.sum()
    averaged = {name: measure.of for name, measure in OVERLAPS.items() if measure.averaged}
    return OverlapScore(
        classes=tuple(classes),
        shares={name: tuple(class_overlap(of, matrix).tolist()) for name, of in averaged.items()},
        accuracy=float(hits / total) if total else 0.0,
    )


def tables(matrix: Tensor, classes: Sequence[str], colours: Colours) -> dict[str, ScoreTable]:
    """The scores of each class, and the confusion matrix itself, by the names of their files."""
    shares = {name: class_overlap(each.of, matrix).tolist() for name, each in OVERLAPS.items()}
    means = {name: mean(shares[name]) for name, each in OVERLAPS.items() if each.averaged}
    pixels, predicted = matrix.sum(1), matrix.sum(0)
    shares["share"] = (pixels.double() / pixels.sum()).tolist()
    titles = {
        "class": "class",
        **{name: each.title for name, each in OVERLAPS.items()},
        "share": "share of pixels",
        "pixels": "pixels",
        "predicted_pixels": "predicted",
    }
    cells: dict[str, Sequence[Cell]] = {
        "class": classes,
        **{name: [known(share) for share in column] for name, column in shares.items()},
        "pixels": pixels.tolist(),
        "predicted_pixels": predicted.tolist(),
    }
    by_class = ScoreTable(
        title="Classes",
        columns=tuple(titles),
        titles=tuple(titles.values()),
        rows=list(zip(*(cells[name] for name in titles), strict=True)),
        note=NOTE,
        mean=("mean", *(means.get(name, "") for name in list(titles)[1:])),
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
