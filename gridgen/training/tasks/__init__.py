"""What a network is trained for. Add a task as a file and a line in `task_of`."""

from collections.abc import Sequence

from gridgen.data import Dataset
from gridgen.training.tasks.restoration import Restoration
from gridgen.training.tasks.segmentation import Segmentation
from gridgen.training.tasks.task import Metric, Score, Task, columns, val_column

__all__ = [
    "Metric",
    "Restoration",
    "Score",
    "Segmentation",
    "Task",
    "columns",
    "task_for",
    "task_of",
    "val_column",
]


def task_of(dataset: Dataset) -> Task:
    """The task that a dataset sets: to tell its classes, or where it has none to restore images.

    >>> from gridgen.data import load_dataset
    >>> task_of(load_dataset("shapes")).metric.val
    'val_iou'
    """
    return task_for(dataset.classes, dataset.colours)


def task_for(classes: Sequence[str], colours: Sequence[Sequence[int]]) -> Task:
    """The task of a dataset with these classes and their colours, as a run notes them."""
    return Segmentation(tuple(classes), colours) if classes else Restoration()
