"""Contracts of every task: statistics add up, answers are labels, pictures and files fit them."""

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from gridgen.data import IGNORE
from gridgen.errors import DataError, UsageError, unknown
from gridgen.images import read_header, read_image, read_label
from gridgen.testing import check_task
from gridgen.training.tasks import (
    HOLDOUT,
    TASKS,
    VAL,
    Restoration,
    Segmentation,
    columns,
    objectives,
    task_named,
    task_of,
)

CLASSES, COLOURS = ("a", "b", "c"), ((0, 0, 0), (9, 9, 9), (200, 0, 0))
LABELS = torch.randint(3, (4, 8, 6), generator=torch.Generator().manual_seed(0))
EXAMPLES = {
    "segmentation": (Segmentation(CLASSES, COLOURS), 3, LABELS),
    "restoration grey": (Restoration(), 1, torch.rand(4, 1, 8, 6)),
    "restoration RGB": (Restoration(), 3, torch.rand(4, 3, 8, 6)),
    "restoration of 2 channels": (Restoration(), 2, torch.rand(4, 2, 8, 6)),
    "restoration of 4 channels": (Restoration(), 4, torch.rand(4, 4, 8, 6)),
    "restoration of 12 channels": (Restoration(), 12, torch.rand(4, 12, 8, 6)),
}
every_task = pytest.mark.parametrize(("task", "outputs", "labels"), EXAMPLES.values(), ids=EXAMPLES)


@every_task
def test_every_task_holds_its_contract(task, outputs, labels):
    check_task(task, labels, right(task, labels))


def right(task, labels):
    """The prediction that is right everywhere: one-hot logits, or the clean image itself."""
    if task.name == "restoration":
        return labels.clone()
    return 20 * one_hot(labels, len(CLASSES)).movedim(-1, 1).float()


def test_labels_that_are_not_scored_are_part_of_the_contract():
    labels = LABELS.clone()
    predicted = right(Segmentation(CLASSES, COLOURS), labels)
    labels[:, 0, :3] = IGNORE
    check_task(Segmentation(CLASSES, COLOURS), labels, predicted)


@every_task
def test_an_answer_is_a_label_that_a_picture_shows(task, outputs, labels):
    answer = task.answer(3 * torch.rand(1, outputs, 8, 6) - 1)
    assert (answer.shape, answer.dtype) == (labels[0].shape, labels.dtype)
    assert task.pixels(answer).shape == task.pixels(labels[0]).shape == (8, 6, 3)


@every_task
@pytest.mark.parametrize("bits", [8, 16])
def test_a_file_holds_an_answer(task, outputs, labels, bits, tmp_path):
    answer, path = task.answer(torch.rand(1, outputs, 8, 6)), tmp_path / f"a{task.suffix(outputs)}"
    path.write_bytes(task.encode(answer, bits))
    if answer.is_floating_point():
        levels, white = read_image(path, white=2**bits - 1), 2**bits - 1
        assert torch.equal((levels * white).round(), (answer.double() * white).round().float())
        assert read_header(path).bits == bits
    else:
        assert torch.equal(read_label(path), answer)


@every_task
def test_where_an_image_has_no_value_an_answer_says_nothing(task, outputs, labels):
    answer, valid = task.answer(torch.rand(1, outputs, 8, 6)), torch.ones(8, 6, dtype=torch.bool)
    valid[2:4, 1] = False
    blanked = task.blanked(answer, valid)
    assert torch.equal(blanked[..., valid], answer[..., valid])
    assert set(blanked[..., ~valid].flatten().tolist()) == {IGNORE if task.classes else 0}
    assert task.pixels(blanked)[2:4, 1].max() == 0


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
def test_the_metric_is_the_first_column_of_both(task, outputs, labels):
    assert columns(task)[:2] == (task.metric.train, task.metric.val)


@every_task
def test_a_search_may_maximize_what_is_scored_without_training_on_it(task, outputs, labels):
    scored = columns(task, (VAL, HOLDOUT))[1:]
    # `val_iou.car` is the part of val_iou that a class has.
    assert {name.partition(".")[0] for name in scored} <= set(objectives())
    of_classes = [name for name in scored if "." in name]
    assert of_classes == [
        f"{name}.{each}" for name in (task.metric.val, task.metric.holdout) for each in task.classes
    ]


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


def test_an_unknown_name_of_a_task_is_one_line():
    with pytest.raises(UsageError) as caught:
        task_named("depth", CLASSES, COLOURS)
    assert str(caught.value) == unknown("task", "depth", TASKS)


def test_what_is_older_than_the_names_of_tasks_is_told_by_its_classes():
    assert task_named(None, list(CLASSES), COLOURS) == Segmentation(CLASSES, COLOURS)
    assert task_named(None, [], []) == Restoration()
