"""The four scores of Cityscapes, gathered image by image: IoU and iIoU of classes and categories.

Defined by M. Cordts et al., CVPR 2016, section 3.2, and by what the official script
evalPixelLevelSemanticLabeling.py (cityscapesscripts 2.3.0) does. That script itself: `official`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan, nan
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gridgen.data import Sample
from gridgen.data.cityscapes import CATEGORIES, DRAWN, LABEL_IDS, PER_LABEL, TRAINED, ids_of
from gridgen.errors import DataError
from gridgen.images.rules import IdArray
from gridgen.training.tasks.overlap import iou, known

FloatArray = npt.NDArray[np.float64]

IDS = len(DRAWN)
KINDS = np.array([[one.category == other.category for other in DRAWN] for one in DRAWN])
"""(34, 34): whether two label ids are of one category."""
AVERAGE_SIZES = {
    "person": 3462.4756337644,
    "rider": 3930.4788056518,
    "car": 12794.0202738185,
    "truck": 27855.1264367816,
    "bus": 35732.1511111111,
    "train": 67583.7075812274,
    "motorcycle": 6298.7200839748,
    "bicycle": 4672.3249222261,
}
"""Mean pixels of an instance in the training set (official script)."""
SCORED = {
    "iou_class": tuple(label.name for label in TRAINED),
    "iiou_class": tuple(label.name for label in TRAINED if label.has_instances),
    "iou_category": CATEGORIES,
    "iiou_category": ("human", "vehicle"),
}
"""Classes or categories of each of the four scores; iIoU is only of those with instances."""


@dataclass(frozen=True)
class ScoreColumn:
    """A score in [0, 1] of each class or category, and their mean.

    nan for what neither occurs nor is predicted, which the mean leaves out.
    """

    values: Mapping[str, float]
    mean: float

    @classmethod
    def of(cls, values: Mapping[str, float]) -> "ScoreColumn":
        """The column of these values, and their mean."""
        shares = [value for value in values.values() if not isnan(value)]
        return cls(values, sum(shares) / len(shares) if shares else nan)

    def difference(self, other: "ScoreColumn") -> float:
        """The greatest one, the mean's included; infinite where only one of two is nan."""
        pairs = [(value, other.values[name]) for name, value in self.values.items()]
        return max(_difference(*pair) for pair in [*pairs, (self.mean, other.mean)])


class FourScores(NamedTuple):
    """The columns of the paper's tables."""

    iou_class: ScoreColumn
    iiou_class: ScoreColumn
    iou_category: ScoreColumn
    iiou_category: ScoreColumn

    def difference(self, other: "FourScores") -> float:
        """The greatest between any two numbers."""
        return max(mine.difference(its) for mine, its in zip(self, other, strict=True))

    def as_json(self) -> dict[str, Any]:
        """Plain numbers; nan becomes None."""
        return {
            name: {
                "mean": known(column.mean),
                **{key: known(value) for key, value in column.values.items()},
            }
            for name, column in self._asdict().items()
        }


class CityscapesScore:
    """An observer that keeps counts of pixels, and of those in instances weighted by size.

    IoU is TP / (TP + FP + FN) from one confusion matrix of label ids over all images. Pixels whose
    truth is not scored count nowhere; pixels predicted as what is not scored are misses. For iIoU
    each instance's hits and misses are weighted by the average size of its class over its own
    size; false positives, which belong to no instance, are those of IoU. Within a category the
    classes need not be told apart. Regions of several that are not told apart are no instances.
    """

    def __init__(self) -> None:
        self._pixels = np.zeros((IDS, IDS), dtype=np.int64)
        # Weighted hits and misses of each label id, by class and by category.
        self._by_class, self._by_category = np.zeros((2, IDS)), np.zeros((2, IDS))

    def see(self, sample: Sample, answer: Tensor) -> None:
        """Count an image of Cityscapes and its answer in train ids."""
        if sample.instances is None:
            fact = "no instances, which iIoU needs; cityscapes:PATH has them"
            raise DataError(f"{sample.name}: {fact}")
        truth, predicted = (LABEL_IDS[ids.numpy()] for ids in (sample.label, answer))
        self.count(truth, sample.instances().numpy(), predicted)

    def count(self, truth: IdArray, instances: IdArray, predicted: IdArray) -> None:
        """Count label ids (H, W), the numbers of instances, and the label ids predicted."""
        pairs = truth.astype(np.int64) * IDS + predicted
        self._pixels += np.bincount(pairs.ravel(), minlength=IDS * IDS).reshape(IDS, IDS)
        inside = instances > PER_LABEL
        numbers, place, sizes = np.unique(
            instances[inside], return_inverse=True, return_counts=True
        )
        labels, guesses = numbers // PER_LABEL, predicted[inside]
        weights = np.array([AVERAGE_SIZES.get(DRAWN[label].name, 0.0) for label in labels]) / sizes
        for found, weighted in (
            (guesses == labels[place], self._by_class),
            (KINDS[guesses, labels[place]], self._by_category),
        ):
            hits = np.bincount(place, found, minlength=len(labels))
            for total, count in zip(weighted, (hits, sizes - hits), strict=True):
                total += np.bincount(labels, count * weights, IDS)

    def scores(self) -> FourScores:
        """The four scores of all that was counted."""
        classes = {label.name: [label.id] for label in TRAINED}
        scored = {c: ids_of(label for label in TRAINED if label.category == c) for c in CATEGORIES}
        drawn = {c: ids_of(label for label in DRAWN if label.category == c) for c in CATEGORIES}
        return FourScores(
            self._column("iou_class", classes),
            self._column("iiou_class", classes, self._by_class),
            self._column("iou_category", scored),
            self._column("iiou_category", drawn, self._by_category),
        )

    def _column(
        self, score: str, ids: Mapping[str, list[int]], weighted: FloatArray | None = None
    ) -> ScoreColumn:
        """One score of the label ids of each name: of pixels, or of `weighted` hits and misses."""
        names = SCORED[score]
        counts = torch.tensor(
            [self._counts(ids[name], weighted) for name in names], dtype=torch.float64
        )
        return ScoreColumn.of(dict(zip(names, iou(*counts.unbind(1)).tolist(), strict=True)))

    def _counts(self, own: list[int], weighted: FloatArray | None) -> tuple[float, float, float]:
        """Hits, misses and false positives of these label ids."""
        if weighted is not None:
            hits, misses = (float(values[own].sum()) for values in weighted)
        else:
            hits = float(self._pixels[np.ix_(own, own)].sum())
            misses = float(self._pixels[own].sum()) - hits
        others = [label for label in ids_of(TRAINED) if label not in own]
        return hits, misses, float(self._pixels[np.ix_(others, own)].sum())


def _difference(mine: float, its: float) -> float:
    if isnan(mine) or isnan(its):
        return 0.0 if isnan(mine) and isnan(its) else float("inf")
    return abs(mine - its)


HEADINGS = ("", "IoU class", "iIoU class", "IoU categ.", "iIoU categ.")


@dataclass(frozen=True)
class Published:
    """A row of one of the paper's tables; percent as printed there, in the order of the columns."""

    table: int
    split: str
    network: str
    percent: tuple[float, float, float, float]
    digits: int = 1

    def row(self) -> tuple[str, ...]:
        """The row as cells of a table."""
        where = "" if self.split == "val" else f", on {self.split}"
        name = f"table {self.table}: {self.network}{where}"
        return name, *(f"{value:.{self.digits}f}" for value in self.percent)

    def as_json(self) -> dict[str, Any]:
        """Plain values; shares of 1, as ours are."""
        shares = (round(value / 100, 6) for value in self.percent)
        place = {"table": self.table, "split": self.split, "network": self.network}
        return place | dict(zip(FourScores._fields, shares, strict=True))


PUBLISHED = (
    Published(1, "val", "sum, h-residual", (57.2, 35.6, 83.1, 68.4)),
    Published(1, "val", "sum, h-residual, total dropout (proposed)", (65.0, 43.2, 85.6, 70.1)),
    Published(1, "val", "sum, h+v-residual", (57.6, 36.8, 86.0, 72.6)),
    Published(1, "val", "sum, h+v-residual, total dropout", (35.6, 23.0, 62.1, 60.3)),
    Published(1, "val", "concat, h-residual", (53.9, 34.0, 82.2, 65.2)),
    Published(2, "test", "GridNet", (69.45, 44.06, 87.85, 71.11), digits=2),
)
"""Fourure et al., BMVC 2017: every row of table 1, and that of table 2 which is theirs."""


def table(rows: Iterable[tuple[str, FourScores]]) -> list[tuple[str, ...]]:
    """Headings, these networks by name, and the paper's: the means, in percent."""
    ours = [(name, *(_percent(column.mean) for column in four)) for name, four in rows]
    return [HEADINGS, *ours, *(published.row() for published in PUBLISHED)]


def _percent(share: float) -> str:
    return "-" if isnan(share) else f"{100 * share:.2f}"
