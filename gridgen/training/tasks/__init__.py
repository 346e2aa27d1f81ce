"""What a network is trained for. Add a task as a file and a line in `TASKS`."""

from collections.abc import Sequence

from gridgen.data import Dataset
from gridgen.errors import DataError, UsageError, unknown
from gridgen.training.tasks.pixels import Colours as Colours
from gridgen.training.tasks.restoration import Restoration as Restoration
from gridgen.training.tasks.segmentation import Segmentation as Segmentation
from gridgen.training.tasks.task import (
    FOLD as FOLD,
    HOLDOUT as HOLDOUT,
    VAL as VAL,
    Metric as Metric,
    Score as Score,
    Task as Task,
    class_number as class_number,
    column as column,
    columns as columns,
    split_numbers as split_numbers,
)

TASKS: dict[str, type[Task]] = {task.name: task for task in (Segmentation, Restoration)}


def objectives() -> tuple[str, ...]:
    """Columns of metrics.csv that a search may maximize, of all tasks that are in `TASKS` now:
    scores on images that are not trained on.
    """
    scored = (
        column(split, number)
        for split in (VAL, HOLDOUT)
        for task in TASKS.values()
        for number in task.numbers
    )
    return tuple(dict.fromkeys(scored))


def task_of(dataset: Dataset) -> Task:
    """The task that a dataset sets. Errors: `DataError` where it names none of ours.

    >>> from gridgen.data import load_dataset
    >>> task_of(load_dataset("shapes")).metric.val
    'val_iou'
    """
    if dataset.task not in TASKS:
        raise DataError(f"{dataset.name}: {unknown('task', dataset.task, TASKS)}")
    return task_named(dataset.task, dataset.classes, dataset.colours)


def task_named(name: str | None, classes: Sequence[str], colours: Colours) -> Task:
    """The task called `name` on data with these classes and their colours.

    None is what runs and weights files say that are older than the names of tasks: they are of a
    segmentation where they have classes, and else of a restoration. Errors: `UsageError`.
    """
    name = name or ("segmentation" if classes else "restoration")
    if name not in TASKS:
        raise UsageError(unknown("task", name, TASKS))
    return TASKS[name].of(classes, colours)
