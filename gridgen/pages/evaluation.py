"""The page and the tables of an evaluation."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gridgen.arguments import PathLike
from gridgen.files import write_file
from gridgen.pages.page import embedded, rendered
from gridgen.training.scoring.evaluation import Evaluation, images_table
from gridgen.training.scoring.per_image import Exhibit, Gallery
from gridgen.training.tasks.table import ScoreTable


def write_evaluation(evaluation: Evaluation, gallery: Gallery, folder: PathLike) -> list[Path]:
    """Write scores.json, the tables as CSV and their pictures, and index.html, in that order.

    Errors: `FileError`.
    """
    folder = Path(folder)
    files: dict[str, str | bytes] = {
        "scores.json": json.dumps(evaluation.as_json(), indent=2) + "\n",
        "images.csv": images_table(evaluation).csv(),
    }
    for name, table in evaluation.tables.items():
        files[f"{name}.csv"] = table.csv()
        if table.picture:
            files[f"{name}.png"] = table.picture()
    files["index.html"] = evaluation_page(evaluation, gallery)
    return [write_file(folder / name, content) for name, content in files.items()]


def evaluation_page(evaluation: Evaluation, gallery: Gallery) -> str:
    """The page as HTML."""
    task = evaluation.task
    return rendered(
        "evaluation",
        heading=f"{evaluation.model} on {evaluation.data}, {evaluation.split}",
        under=f"{evaluation.images} images, seen as {evaluation.inference.described()}",
        facts=_facts(evaluation),
        remarks=evaluation.remarks,
        tables=[_table(table) for table in evaluation.tables.values()],
        legend=list(zip(task.classes, map(_css, task.colours), strict=True)),
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
    metric, facts = evaluation.task.metric, evaluation.network.rows()
    if evaluation.baseline is not None and evaluation.margin is not None:
        without = metric.shown(evaluation.baseline.value)
        name = evaluation.task.baseline.removeprefix("the ")
        facts.append((f"{metric.title} of the {name}", without))
        facts.append(("margin", metric.shown(evaluation.margin, sign="+")))
    return facts


def _table(table: ScoreTable) -> dict[str, Any]:
    """A table as the template takes it: its picture, or its rows with their colours and bars."""
    drawn = list(table.columns).index(table.bar) if table.bar else None
    shares = [row[drawn] for row in table.rows] if drawn is not None else []
    return {
        "title": table.title,
        "note": table.note,
        "picture": embedded(table.picture()) if table.picture else None,
        "rows": table.shown(),
        "swatches": list(map(_css, table.colours)),
        "bars": [f"{100 * share:.1f}" if isinstance(share, float) else "0" for share in shares],
        "drawn": drawn,
    }


def _css(colour: Sequence[int]) -> str:
    return "rgb({}, {}, {})".format(*colour)


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
