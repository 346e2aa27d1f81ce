"""The suite for tasks: statistics add up, a right prediction scores best, answers can be shown."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from gridgen.arguments import checked
from gridgen.data import Sample
from gridgen.errors import DataError
from gridgen.grid.layers import shape_text
from gridgen.images import read_image, read_label
from gridgen.testing.requiring import require, saying
from gridgen.training.tasks import Task

STEP = 0.01
"""Of a prediction along its gradient, small enough for a loss to fall."""


@checked
def check_task(task: Task, labels: Tensor, right: Tensor) -> None:
    """Hold a task against its contract, on a batch of labels and the prediction right for them.

    `labels` are at least two, as a dataset has them, one after the other; `right` is (N, K, H, W).
    Errors: `AssertionError`.
    """
    with saying(f"task {task.name}"):
        require(len(labels) > 1, "give at least two labels, whose statistics can be added up")
        drawn = torch.rand(right.shape, generator=torch.Generator().manual_seed(0))
        before = drawn.clone(), labels.clone()
        _check_words(task)
        _check_loss(task, drawn, labels, right)
        _check_distance(task, drawn, right)
        _check_statistics(task, drawn, labels)
        _check_scores(task, drawn, labels, right)
        _check_tables(task, task.statistics(drawn, labels))
        for label, prediction, truth in zip(labels, drawn, right, strict=True):
            _check_answer(task, prediction[None], truth[None], label)
        unchanged = torch.equal(drawn, before[0]) and torch.equal(labels, before[1])
        require(unchanged, "it changes the prediction or the labels that it is given")


def _check_words(task: Task) -> None:
    first = next(iter(task.numbers), None)
    fact = f"the first of its numbers is {first}, its metric {task.metric.name}"
    require(first == task.metric.name, fact)
    for what in ("baseline", "ending", "answer_title", "faults_title", "pictures_note"):
        require(getattr(task, what), f"{what} is empty")
    require(task.losses, "it names no loss")
    same = type(task).of(task.classes, task.colours)
    kept = (list(same.classes), list(same.colours)) == (list(task.classes), list(task.colours))
    require(kept, "of() makes a task of other classes or colours")


def _check_loss(task: Task, drawn: Tensor, labels: Tensor, right: Tensor) -> None:
    prediction = drawn.clone().requires_grad_()
    loss = task.loss(prediction, labels)
    require(loss.shape == (), f"the loss is {shape_text(loss.shape)}, no scalar")
    require(loss.isfinite(), f"the loss is {float(loss.detach())}")
    require(loss.requires_grad, "the loss has no gradient")
    (gradient,) = torch.autograd.grad(loss, prediction)
    after = task.loss(drawn - STEP * gradient, labels)
    require(after < loss, "the loss does not fall along its gradient")
    require(task.loss(right, labels) < loss, "the right prediction has no smaller loss than noise")


def _check_distance(task: Task, drawn: Tensor, right: Tensor) -> None:
    prediction, teacher = drawn.clone().requires_grad_(), right.clone().requires_grad_()
    distance = task.distance(prediction, teacher)
    require(distance.shape == (), f"the distance is {shape_text(distance.shape)}, no scalar")
    gradient, none = torch.autograd.grad(distance, (prediction, teacher), allow_unused=True)
    require(none is None, "a gradient of the distance goes to the teacher")
    after = task.distance(drawn - STEP * gradient, right)
    require(after < distance, "the distance does not fall along its gradient")
    fact = "a prediction that is the teacher's has no smaller distance than noise"
    require(task.distance(right, right) < distance, fact)


def _check_statistics(task: Task, drawn: Tensor, labels: Tensor) -> None:
    whole = task.no_statistics() + task.statistics(drawn, labels)
    parts = task.statistics(drawn[:1], labels[:1]) + task.statistics(drawn[1:], labels[1:])
    fact = "the statistics of two batches do not add up to those of both together"
    require(whole.shape == parts.shape and torch.allclose(whole.double(), parts.double()), fact)


def _check_scores(task: Task, drawn: Tensor, labels: Tensor, right: Tensor) -> None:
    nothing = task.score(task.no_statistics()).value
    require(nothing == 0, f"the score of no image is {nothing}, not 0")
    score, best = (task.score(task.statistics(x, labels)) for x in (drawn, right))
    names, named = ", ".join(score.numbers()), ", ".join(task.numbers)
    require(names == named, f"a score has the numbers {names}; the task names {named}")
    same = score.numbers()[task.metric.name] == score.value
    require(same, f"the number {task.metric.name} is not the value of the score")
    classes = ", ".join(score.by_class())
    require(classes == ", ".join(task.classes), f"a score has the classes {classes or 'none'}")
    require(score.value >= 0, f"noise scores {score.value}, less than no image")
    fact = f"the right prediction scores {best.value}, noise {score.value}"
    require(best.value > score.value, fact)
    most = task.metric.most
    reached = most is None or abs(best.value - most) < 1e-6
    require(reached, f"the right prediction scores {best.value}, not {most}")
    require(all(label and value for label, value in score.rows()), "a row of a score is empty")
    odd = task.remarks(task.statistics(drawn, labels), "val")
    require(all("\n" not in line and line for line in odd), "a remark is not one line")
    json.dumps(score.as_json(), allow_nan=False)


def _check_tables(task: Task, statistics: Tensor) -> None:
    for name, table in task.tables(statistics).items():
        with saying(f"table {name}"):
            width = {len(table.columns)}
            require(table.title, "it has no title")
            titles = f"{len(table.titles)} titles for {len(table.columns)} columns"
            require({len(table.titles)} == width, titles)
            require({len(table.mean)} in (width, {0}), "its mean is not as long as the head")
            require({len(row) for row in table.rows} == width, "a row is not as long as the head")
            written = {len(row) for row in csv.reader(table.csv().splitlines())}
            require(written == width, "a row of its CSV is not as long as the head")
            barred = table.bar is None or table.bar in table.columns
            require(barred, f"its bar {table.bar} is no column")
            coloured = len(table.colours) in (0, len(table.rows))
            require(coloured, f"{len(table.colours)} colours for {len(table.rows)} rows")
            png = table.picture is None or table.picture().startswith(b"\x89PNG")
            require(png, "its picture is no PNG")
            json.dumps(table.as_json(), allow_nan=False)


def _check_sides(task: Task, sample: Sample) -> None:
    """Of its label too; an image and a label that do not fit are what `require_label` is for."""
    task.require_label(sample)
    try:
        task.require_label(replace(sample, label=sample.label[..., 1:]))
    except DataError:
        return
    require(False, "require_label() takes a label of other sides than the image")


def _blanked(task: Task, answer: Tensor) -> Tensor:
    """The answer for an image without a value in its first row."""
    valid = torch.ones(answer.shape[-2:], dtype=torch.bool)
    valid[0] = False
    blanked = task.blanked(answer, valid)
    kept = blanked.shape == answer.shape and torch.equal(blanked[..., 1:, :], answer[..., 1:, :])
    require(kept, "blanked() changes an answer where the image has a value")
    said = len(set(blanked[..., 0, :].flatten().tolist()))
    require(said == 1, f"where an image has no value, an answer says {said} things")
    return blanked


def _check_files(task: Task, answer: Tensor, outputs: int) -> None:
    """The file of an answer holds all of its values, those of levels to its depth."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"answer{task.suffix(outputs)}")
        for bits in (8, 16):
            path.write_bytes(task.encode(answer, bits))
            levels = answer.is_floating_point()
            found = read_image(path, white=2**bits - 1) if levels else read_label(path)
            size, written = shape_text(answer.shape), shape_text(found.shape)
            require(found.shape == answer.shape, f"an answer of {size} is written {written}")
            close = torch.allclose(found, answer, rtol=0, atol=0.51 / (2**bits - 1))
            require(close, f"an answer is not what its file of {bits} bits holds")


def _check_answer(task: Task, prediction: Tensor, right: Tensor, label: Tensor) -> None:
    _check_sides(task, Sample("label", right[0], label))
    answer, height, width = task.answer(prediction), *label.shape[-2:]
    found = f"an answer is {answer.dtype}, {shape_text(answer.shape)}"
    same = (answer.dtype, answer.shape) == (label.dtype, label.shape)
    require(same, f"{found}; labels are {label.dtype}, {shape_text(label.shape)}")
    # What the score leaves out of the label may be anything in an answer.
    known = task.masked(task.answer(right), label)
    require(torch.allclose(known, label), "the answer of the right prediction is not the label")
    image = np.zeros((height, width, 3), np.uint8)
    faults, none = task.faults(image, label, answer), task.faults(image, label, known)
    for what, picture in (
        *(("an answer", task.pixels(answer)), ("a label", task.pixels(label))),
        ("faults", faults),
    ):
        fit = (picture.shape, picture.dtype) == (image.shape, image.dtype)
        require(fit, f"the picture of {what} is {picture.dtype}, {shape_text(picture.shape)}")
    require((faults != none).any(), "faults of noise look as those of the right prediction")
    _check_files(task, answer, prediction.shape[1])
    _check_files(task, _blanked(task, answer), prediction.shape[1])
    names, colours = task.legend([label])
    require(len(names) == len(colours), f"a legend has {len(names)} names, {len(colours)} colours")
