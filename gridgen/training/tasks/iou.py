"""Intersection over union from a confusion matrix, and the baseline that a network must beat: the
best class for each intensity, without looking at any neighbouring pixel.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import torch
from torch import Tensor

from gridgen.data import IGNORE, Dataset, Sample
from gridgen.progress import OnProgress, no_progress


@dataclass(frozen=True)
class IouScore:
    """IoU of each class, in class order; nan for a class that neither occurs nor is predicted."""

    classes: tuple[str, ...]
    iou: tuple[float, ...]
    accuracy: float

    @property
    def mean_iou(self) -> float:
        """Mean over the classes with TP + FP + FN > 0, the rule of the official scorers."""
        present = [value for value in self.iou if not isnan(value)]
        return sum(present) / len(present) if present else 0.0

    value = mean_iou

    def numbers(self) -> dict[str, float]:
        """The two that metrics.csv holds."""
        return {"iou": self.mean_iou, "accuracy": self.accuracy}

    def rows(self) -> list[tuple[str, str]]:
        """Mean, classes and accuracy."""
        classes = zip(self.classes, self.iou, strict=True)
        return [
            ("mean IoU", f"{self.mean_iou:.4f}"),
            *((f"  {name}", f"{iou:.4f}") for name, iou in classes),
            ("accuracy", f"{self.accuracy:.4f}"),
        ]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers; nan becomes None."""
        iou = dict(zip(self.classes, map(known, self.iou), strict=True))
        return {"mean_iou": self.mean_iou, "iou": iou, "accuracy": self.accuracy}


def known(share: float) -> float | None:
    """A share as JSON and CSV hold it: None for nan, which is a share of nothing."""
    return None if isnan(share) else share


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


def class_iou(matrix: Tensor) -> Tensor:
    """IoU of each class of a confusion matrix (truth, prediction), in class order."""
    hits = matrix.diagonal()
    return iou(hits, matrix.sum(1) - hits, matrix.sum(0) - hits)


def score(matrix: Tensor, classes: Sequence[str]) -> IouScore:
    """The scores of a confusion matrix (truth, prediction)."""
    hits, total = matrix.diagonal().sum().double(), matrix.sum()
    accuracy = float(hits / total) if total else 0.0
    return IouScore(tuple(classes), tuple(class_iou(matrix).tolist()), accuracy)


LEVELS = {1: 256, 2: 24, 3: 8}
"""Levels of each channel in the table; of more channels than three the first three are seen."""
MAX_SWEEPS = 20


def fitted_lookup(train: Dataset, val: Dataset, on_progress: OnProgress = no_progress) -> Tensor:
    """Confusion matrix on `val` of the best intensity-to-class table fitted on `train`.

    Fitted to the mean IoU itself: from the majority class of each intensity bin, the table is
    changed bin by bin as long as the training mean IoU rises. `on_progress` is called for
    each image that is read.
    """
    classes, total = len(train.classes), len(train) + len(val)
    fitted = _histogram(_samples(train, 0, total, on_progress), train.channels, classes)
    counts = _histogram(_samples(val, len(train), total, on_progress), val.channels, classes)
    return _confusion(counts, _fit(fitted))


def _samples(
    dataset: Dataset, before: int, total: int, on_progress: OnProgress
) -> Iterator[Sample]:
    for index in range(len(dataset)):
        yield dataset[index]
        on_progress(before + index + 1, total)


def _histogram(samples: Iterable[Sample], channels: int, classes: int) -> Tensor:
    """Pixel counts (bin, class)."""
    channels = min(channels, max(LEVELS))
    levels = LEVELS[channels]
    bins = levels**channels
    weights = levels ** torch.arange(channels)
    counts = torch.zeros(bins * classes, dtype=torch.int64)
    for sample in samples:
        level = (sample.image[:channels] * levels).long().clamp(0, levels - 1)
        place = (level * weights[:, None, None]).sum(0)
        kept = sample.label != IGNORE
        counts += torch.bincount(
            place[kept] * classes + sample.label[kept], minlength=bins * classes
        )
    return counts.reshape(bins, classes)


def _fit(counts: Tensor) -> Tensor:
    """Class of each bin, by coordinate ascent on the mean IoU."""
    table = counts.argmax(1)
    matrix = _confusion(counts, table)
    best = _mean_iou(matrix)
    for _ in range(MAX_SWEEPS):
        before = best
        for place in counts.sum(1).nonzero().flatten().tolist():
            for choice in range(counts.shape[1]):
                trial = matrix.clone()
                trial[:, table[place]] -= counts[place]
                trial[:, choice] += counts[place]
                reached = _mean_iou(trial)
                if reached > best:
                    best, matrix = reached, trial
                    table[place] = choice
        if best == before:
            break
    return table


def _confusion(counts: Tensor, table: Tensor) -> Tensor:
    classes = counts.shape[1]
    chosen = torch.nn.functional.one_hot(table, classes)
    return counts.T @ chosen


def _mean_iou(matrix: Tensor) -> float:
    values = class_iou(matrix)
    return float(values[~values.isnan()].mean())
