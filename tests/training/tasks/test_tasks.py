"""Contracts of every task: statistics add up, answers are labels, pictures and files fit them."""

import csv
import json
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from gridgen.data import IGNORE
from gridgen.errors import DataError, unknown
from gridgen.training.tasks import (
    HOLDOUT,
    OBJECTIVES,
    TASKS,
    VAL,
    Restoration,
    Segmentation,
    columns,
    task_named,
    task_of,
)

CLASSES, COLOURS = ("a", "b", "c"), ((0, 0, 0), (9, 9, 9), (200, 0, 0))
EXAMPLES = {
    "segmentation": (Segmentation(CLASSES, COLOURS), 3, torch.randint(3, (4, 8, 6))),
    "restoration grey": (Restoration(), 1, torch.rand(4, 1, 8, 6)),
    "restoration RGB": (Restoration(), 3, torch.rand(4, 3, 8, 6)),
}
every_task = pytest.mark.parametrize(("task", "outputs", "labels"), EXAMPLES.values(), ids=EXAMPLES)


@every_task
def test_statistics_of_parts_add_up_to_that_of_the_whole(task, outputs, labels):
    prediction = torch.rand(4, outputs, 8, 6)
    whole = task.no_statistics() + task.statistics(prediction, labels)
    first = task.statistics(prediction[:1], labels[:1])
    parts = first + task.statistics(prediction[1:], labels[1:])
    torch.testing.assert_close(parts, whole)
    assert task.score(parts).value == pytest.approx(task.score(whole).value)


@every_task
def test_nothing_can_be_scored(task, outputs, labels):
    assert task.score(task.no_statistics()).value == 0


@every_task
def test_a_score_fills_the_columns_that_the_task_names(task, outputs, labels):
    score = task.score(task.statistics(torch.rand(4, outputs, 8, 6), labels))
    assert tuple(score.numbers()) == tuple(task.numbers)
    assert score.numbers()[task.metric.name] == score.value
    assert columns(task)[:2] == (task.metric.train, task.metric.val)
    assert score.value >= 0
    assert all(label and value for label, value in score.rows())


@every_task
def test_the_loss_is_a_scalar_that_falls_along_its_gradient(task, outputs, labels):
    prediction = torch.rand(4, outputs, 8, 6, requires_grad=True)
    loss = task.loss(prediction, labels)
    loss.backward()
    assert loss.shape == ()
    assert task.loss(prediction.detach() - 0.01 * prediction.grad, labels) < loss


@every_task
def test_an_answer_is_a_label_that_a_picture_and_a_file_show(task, outputs, labels):
    answer = task.answer(3 * torch.rand(1, outputs, 8, 6) - 1)
    assert (answer.shape, answer.dtype) == (labels[0].shape, labels.dtype)
    assert task.pixels(answer).shape == task.pixels(labels[0]).shape == (8, 6, 3)
    with Image.open(BytesIO(task.encode(answer))) as picture:
        assert picture.size == (6, 8)
        pixels = np.asarray(picture)
    if isinstance(task, Segmentation):
        assert np.array_equal(pixels, answer.numpy())
    else:
        levels = (answer * 255).round().permute(1, 2, 0).squeeze(-1)
        assert np.array_equal(pixels, levels.numpy())


@every_task
def test_an_answer_is_shown_whole_where_all_of_its_label_is_scored(task, outputs, labels):
    answer = task.answer(torch.rand(1, outputs, 8, 6))
    assert torch.equal(task.masked(answer, labels[0]), answer)


def test_an_answer_is_shown_as_ignored_where_its_label_is():
    answer, label = torch.tensor([[0, 1], [2, 2]]), torch.tensor([[0, IGNORE], [IGNORE, 1]])
    task = Segmentation(CLASSES, COLOURS)
    assert task.masked(answer, label).tolist() == [[0, IGNORE], [IGNORE, 2]]


def test_every_task_has_an_example_here():
    assert {task.name for task, _, _ in EXAMPLES.values()} == set(TASKS)
    assert all(task.name == name for name, task in TASKS.items())


@every_task
def test_a_search_may_maximize_what_is_scored_without_training_on_it(task, outputs, labels):
    assert set(columns(task, (VAL, HOLDOUT))[1:]) <= set(OBJECTIVES)


@every_task
def test_what_a_score_does_not_say_is_in_tables(task, outputs, labels):
    tables = task.tables(task.statistics(torch.rand(4, outputs, 8, 6), labels))
    for table in tables.values():
        assert table.title
        assert {len(row) for row in (table.titles, *table.rows)} == {len(table.columns)}
        assert table.bar is None or table.bar in table.columns
        assert len(table.colours) in (0, len(table.rows))
        assert {len(line) for line in csv.reader(table.csv().splitlines())} == {len(table.columns)}
        json.dumps(table.as_json())
        assert table.picture is None or table.picture().startswith(b"\x89PNG")


@every_task
def test_faults_are_a_picture_that_tells_a_wrong_answer_from_a_right_one(task, outputs, labels):
    answer, image = task.answer(torch.rand(1, outputs, 8, 6)), np.zeros((8, 6, 3), np.uint8)
    found, none = task.faults(image, labels[0], answer), task.faults(image, answer, answer)
    assert (found.shape, found.dtype) == ((8, 6, 3), np.uint8)
    assert len(np.unique(none)) == 1
    assert (found != none).any()


@every_task
def test_a_legend_names_every_colour(task, outputs, labels):
    names, colours = task.legend(labels)
    assert len(names) == len(colours) == len(task.classes)


def test_a_legend_names_what_is_not_labelled():
    names, colours = Segmentation(CLASSES, COLOURS).legend([torch.tensor([[0, IGNORE]])])
    assert (names[-1], colours[-1]) == ("not labelled", (0, 0, 0))


class Depths:
    """A dataset of a task that nobody has written."""

    name, task, classes, colours = "rooms", "segmentatoin", (), ()


def test_a_dataset_of_an_unknown_task_is_one_line():
    with pytest.raises(DataError) as caught:
        task_of(Depths())
    assert str(caught.value) == f"rooms: {unknown('task', 'segmentatoin', TASKS)}"


def test_what_is_older_than_the_names_of_tasks_is_told_by_its_classes():
    assert task_named(None, list(CLASSES), COLOURS) == Segmentation(CLASSES, COLOURS)
    assert task_named(None, [], []) == Restoration()
