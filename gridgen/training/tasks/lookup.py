"""The baseline that a segmentation must beat: the best class for each intensity, without looking at
any neighbouring pixel.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from gridgen.data import IGNORE, Dataset, Sample
from gridgen.data.dataset import require_ids
from gridgen.progress import OnProgress, no_progress
from gridgen.training.tasks.overlap import class_overlap, iou

LEVELS = {1: 256, 2: 24, 3: 8}
"""Levels of each channel in the table; of more channels than three the first three are seen."""
MAX_SWEEPS = 20


def fitted_lookup(train: Dataset, val: Dataset, on_progress: OnProgress = no_progress) -> Tensor:
    """Confusion matrix on `val` of the best intensity-to-class table fitted on `train`.

    Fitted to the mean IoU itself: from the majority class of each intensity bin, the table is
    changed bin by bin as long as the training mean IoU rises. `on_progress` is called for
    each image that is read. Errors: `DataError`.
    """
    classes, total = len(train.classes), len(train) + len(val)
    fitted = _histogram(_samples(train, 0, total, on_progress), train.channels, classes)
    counts = _histogram(_samples(val, len(train), total, on_progress), val.channels, classes)
    return _confusion(counts, _fit(fitted))


def _samples(
    dataset: Dataset, before: int, total: int, on_progress: OnProgress
) -> Iterator[Sample]:
    for index in range(len(dataset)):
        sample = dataset[index]
        require_ids(dataset, sample.name, sample.label)
        yield sample
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
    values = class_overlap(iou, matrix)
    return float(values[~values.isnan()].mean())
