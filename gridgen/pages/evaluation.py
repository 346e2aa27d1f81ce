"""The page and the tables of an evaluation."""

import json
from pathlib import Path
from typing import Any

from gridgen.figures.scores import confusion_png
from gridgen.files import write_file
from gridgen.pages.page import NEVER, embedded, number, rendered
from gridgen.training.scoring.evaluation import (
    ClassScore,
    Evaluation,
    class_scores,
    classes_csv,
    confusion_csv,
    images_csv,
)
from gridgen.training.scoring.per_image import Exhibit, Gallery

CLASSES_NOTE = (
    "IoU is hits / (hits + misses + false alarms), over all pixels of the split; precision and "
    "recall are hits over what was predicted, and over what is there. A class that neither occurs "
    "nor is predicted is left out of the mean. Ignored pixels count nowhere."
)


def write_evaluation(evaluation: Evaluation, gallery: Gallery, folder: str | Path) -> list[Path]:
    """Write scores.json, the tables as CSV, the confusion matrix, and index.html, in that order.

    A task without classes has no table of classes and no confusion matrix. Errors: `FileError`.
    """
    folder = Path(folder)
    files: dict[str, str | bytes] = {
        "scores.json": json.dumps(evaluation.as_json(), indent=2) + "\n",
        "images.csv": images_csv(evaluation),
    }
    picture = None
    matrix = evaluation.task.confusion(evaluation.statistics)
    if matrix is not None:
        picture = confusion_png(matrix.numpy(), evaluation.task.classes)
        files["classes.csv"] = classes_csv(evaluation)
        files["confusion.csv"] = confusion_csv(evaluation)
        files["confusion.png"] = picture
    files["index.html"] = evaluation_page(evaluation, gallery, picture)
    return [write_file(folder / name, content) for name, content in files.items()]


def evaluation_page(evaluation: Evaluation, gallery: Gallery, confusion: bytes | None) -> str:
    """The page as HTML; `confusion` is the picture of the matrix as PNG."""
    task, classes = evaluation.task, class_scores(evaluation)
    pixels = sum(each.pixels for each in classes)
    return rendered(
        "evaluation",
        heading=f"{evaluation.model} on {evaluation.data}, {evaluation.split}",
        under=f"{evaluation.images} images, seen as {evaluation.inference.described()}",
        facts=_facts(evaluation),
        classes=[_class(each, pixels) for each in classes],
        classes_note=CLASSES_NOTE,
        confusion=embedded(confusion) if confusion else None,
        pictures_note=task.pictures_note,
        worst_heading=_heading(len(gallery.worst), evaluation.images),
        worst=[_exhibit(each, evaluation) for each in gallery.worst],
        best=[_exhibit(each, evaluation) for each in gallery.apart()],
    )


def _heading(shown: int, images: int) -> str:
    if images == 1:
        return "The image"
    if shown == images:
        return f"All {images} images, the worst first"
    return "The worst image" if shown == 1 else f"The {shown} worst images, the worst first"


def _facts(evaluation: Evaluation) -> list[tuple[str, str]]:
    metric = evaluation.task.metric
    title = f"mean {metric.title}"
    facts = [(title, metric.shown(evaluation.network.value))]
    accuracy = evaluation.network.as_json().get("accuracy")
    facts += [("accuracy", f"{accuracy:.4f}")] if accuracy is not None else []
    if evaluation.baseline is not None and evaluation.margin is not None:
        without = metric.shown(evaluation.baseline.value)
        name = evaluation.task.baseline.removeprefix("the ")
        facts.append((f"{title} of the {name}", without))
        facts.append(("margin", metric.shown(evaluation.margin, sign="+")))
    return facts


def _class(each: ClassScore, pixels: int) -> dict[str, Any]:
    return {
        "name": each.name,
        "colour": "rgb({}, {}, {})".format(*each.colour),
        "width": f"{100 * (each.iou or 0):.1f}",
        "iou": number(each.iou),
        "precision": number(each.precision),
        "recall": number(each.recall),
        "share": f"{each.pixels / pixels:.2%}" if pixels else NEVER,
    }


def _exhibit(each: Exhibit, evaluation: Evaluation) -> dict[str, Any]:
    assert each.image.score is not None
    task, (height, width) = evaluation.task, each.size
    pictures = {
        "image": each.given,
        "truth": each.truth,
        task.answer_title: each.prediction,
        task.faults_title: each.faults,
    }
    return {
        "name": each.image.name,
        "score": f"{task.metric.title} {task.metric.shown(each.image.score.value)}",
        "width": width,
        "height": height,
        "exact": each.exact,
        "panels": [{"title": title, "address": embedded(file)} for title, file in pictures.items()],
    }
