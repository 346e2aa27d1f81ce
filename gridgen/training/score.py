"""Scores: one confusion matrix over a split, and the intersection over union it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gridgen.data import IGNORE


@dataclass(frozen=True)
class IouScore:
    """IoU of each class, in class order; nan for a class that neither occurs nor is predicted."""

    classes: tuple[str, ...]
    iou: tuple[float, ...]
    accuracy: float

    @property
    def value(self) -> float:
        """The mean IoU."""
        return self.mean_iou

    @property
    def mean_iou(self) -> float:
        """Mean over the classes with TP + FP + FN > 0, the rule of the official scorers."""
        present = [value for value in self.iou if value == value]
        return sum(present) / len(present) if present else 0.0

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
        iou = {
            name: value if value == value else None
            for name, value in zip(self.classes, self.iou, strict=True)
        }
        return {"mean_iou": self.mean_iou, "iou": iou, "accuracy": self.accuracy}


def confusion(prediction: Tensor, label: Tensor, classes: int) -> Tensor:
    """Pixel counts (truth, prediction) of class ids (N, H, W); `IGNORE` is left out."""
    ignored = classes * classes
    # Neither a mask nor `bincount` is used: both would wait for a GPU.
    cells = torch.where(label == IGNORE, ignored, label * classes + prediction).flatten()
    counts = cells.new_zeros(ignored + 1).scatter_add_(0, cells, torch.ones_like(cells))
    return counts[:ignored].view(classes, classes)


def score(matrix: Tensor, classes: Sequence[str]) -> IouScore:
    """The scores of a confusion matrix: IoU = TP / (TP + FP + FN)."""
    counts = matrix.to(torch.float64)
    hits = counts.diagonal()
    union = counts.sum(0) + counts.sum(1) - hits
    total = counts.sum()
    return IouScore(
        tuple(classes),
        tuple((hits / union).tolist()),
        float(hits.sum() / total) if total else 0.0,
    )
