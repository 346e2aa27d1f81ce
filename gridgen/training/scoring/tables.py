"""An evaluation as tables: per class, per image, and what is taken for what."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from math import isnan
from typing import Any

from gridgen.training.scoring.evaluation import Evaluation
from gridgen.training.tasks.iou import class_iou


@dataclass(frozen=True)
class ClassScore:
    """Scores of one class; None for a share of nothing: it is not there, or not predicted."""

    name: str
    colour: tuple[int, int, int]
    iou: float | None
    precision: float | None
    """Share of the pixels predicted to be of the class that are."""
    recall: float | None
    """Share of the pixels of the class that are found."""
    pixels: int
    """Labelled as the class."""
    predicted: int


def class_scores(evaluation: Evaluation) -> list[ClassScore]:
    """The scores in class order; none where the task has no classes."""
    task = evaluation.task
    matrix = task.confusion(evaluation.statistics)
    if matrix is None:
        return []
    hits, truth, predicted = matrix.diagonal(), matrix.sum(1), matrix.sum(0)
    shares = class_iou(matrix), hits.double() / predicted, hits.double() / truth
    names = zip(task.classes, task.colours, strict=True)
    columns = (map(_known, share.tolist()) for share in shares)
    counts = truth.tolist(), predicted.tolist()
    return [
        ClassScore(name, (red, green, blue), *numbers)
        for (name, (red, green, blue)), *numbers in zip(names, *columns, *counts, strict=True)
    ]


def classes_csv(evaluation: Evaluation) -> str:
    """A CSV file with a line for each class."""
    header = ("class", "iou", "precision", "recall", "pixels", "predicted_pixels")
    scores = class_scores(evaluation)
    rows = [(s.name, s.iou, s.precision, s.recall, s.pixels, s.predicted) for s in scores]
    return _csv(header, rows)


def images_csv(evaluation: Evaluation) -> str:
    """A CSV file with a line for each image, the worst first; no numbers if nothing is labelled."""
    names = evaluation.network.numbers()
    header = ("image", "height", "width", *names)
    rows = []
    for image in evaluation.worst:
        values = image.score.numbers().values() if image.score else [None] * len(names)
        rows.append((image.name, *image.size, *values))
    return _csv(header, rows)


def confusion_csv(evaluation: Evaluation) -> str:
    """A CSV file of pixel counts: a line for each true class, a column for each predicted one."""
    classes = evaluation.task.classes
    lines = zip(classes, evaluation.statistics.tolist(), strict=True)
    return _csv(("truth", *classes), [(name, *counts) for name, counts in lines])


def _known(share: float) -> float | None:
    return None if isnan(share) else share


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return f"{value:.6f}" if isinstance(value, float) else value
