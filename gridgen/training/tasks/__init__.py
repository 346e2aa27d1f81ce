"""What a network is trained for. Add a task as a file and a line in `TASKS`."""

from collections.abc import Sequence

from gridgen.data import Dataset
from gridgen.training.tasks.pixels import Colours
from gridgen.training.tasks.restoration import Restoration
from gridgen.training.tasks.segmentation import Segmentation
from gridgen.training.tasks.task import Metric, Score, Task, columns, val_column

TASKS: dict[str, type[Task]] = {task.name: task for task in (Segmentation, Restoration)}
OBJECTIVES = (
    *(val_column(number) for task in TASKS.values() for number in task.numbers),
    *(task.metric.holdout for task in TASKS.values()),
)
"""Columns of metrics.csv that a search may maximize: scores on images that are not trained on."""


def task_of(dataset: Dataset) -> Task:
    """The task that a dataset sets: to tell its classes, or where it has none to restore images.

    >>> from gridgen.data import load_dataset
    >>> task_of(load_dataset("shapes")).metric.val
    'val_iou'
    """
    return task_for(dataset.classes, dataset.colours)


def task_for(classes: Sequence[str], colours: Colours) -> Task:
    """The task of a dataset with these classes and their colours, as a run notes them.

    The only place that decides so: data does not name its task, neither on disk nor in run.json.
    """
    task: type[Task] = Segmentation if classes else Restoration
    return task.of(classes, colours)
