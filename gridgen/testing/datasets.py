"""The suite for datasets: samples are what they promise, in every process and every time."""

import pickle
from pathlib import Path

import torch
from torch import Tensor

from gridgen.arguments import checked
from gridgen.data import Dataset, Sample
from gridgen.data.dataset import OnDisk, part_of, require_image_tensor, require_numbers
from gridgen.errors import unknown
from gridgen.images import Window
from gridgen.testing.requiring import require, saying, title
from gridgen.training.tasks import TASKS, task_of

MOST_READ = 64
"""Samples whose names are compared; of larger splits, that many evenly spread."""


@checked
def check_dataset(*splits: Dataset) -> None:
    """Hold the splits of one dataset against what `Dataset` and `Sample` promise.

    Shapes, dtypes, ranges, names and sizes; that reading is repeatable, changes nothing, ends with
    an `IndexError` and works in other processes; that a window is a part of the whole; that the
    splits agree. A few samples of each are read. Errors: `AssertionError`.
    """
    require(splits, "no split is given")
    for dataset in splits:
        with saying(f"dataset {dataset.name}" if hasattr(dataset, "name") else title(dataset)):
            _check_split(dataset)
    first, *others = splits
    for other, what in ((other, what) for other in others for what in _SHARED):
        one, two = getattr(first, what), getattr(other, what)
        require(one == two, f"splits of {first.name} differ in {what}: {one} and {two}")


_SHARED = ("name", "task", "classes", "colours", "channels")


def _check_split(dataset: Dataset) -> None:
    _check_facts(dataset)
    length = len(dataset)
    for index in sorted({0, length // 2, length - 1}):
        with saying(f"sample {index}"):
            sample = dataset[index]
            require_image_tensor(
                "the image", sample.image, (dataset.channels, *dataset.sizes[index])
            )
            task_of(dataset).require_label(sample)
            if sample.instances is not None:
                objects = sample.instances()
                require_numbers("what instances() reads", objects, torch.int32, sample.image)
            _check_reading(dataset, index)
            _check_windows(dataset, index)
    for index in range(0, length, -(-length // MOST_READ)):
        name, promised = dataset[index].name, dataset.names[index]
        require(name == promised, f"sample {index} is called {name}, in names {promised}")
    try:
        dataset[length]
    except IndexError:
        pass
    else:
        require(False, f"dataset[{length}] is no IndexError, so a loop over it has no end")
    if isinstance(dataset, OnDisk):
        _check_files(dataset, dataset[length - 1].label, length)


def _check_facts(dataset: Dataset) -> None:
    """What is known without reading a sample."""
    length, names = len(dataset), dataset.names
    require(length, "it has no samples")
    require(len(names) == length, f"{len(names)} names for {length} samples")
    require(len(dataset.sizes) == length, f"{len(dataset.sizes)} sizes for {length} samples")
    require(len(set(names)) == length, "two samples have one name")
    unfit = [name for name in names if name in ("", ".", "..") or Path(name).name != name]
    require(not unfit, f"{unfit[:1]} is no name for a file")
    require(dataset.task in TASKS, unknown("task", dataset.task, TASKS))
    classes, colours = dataset.classes, dataset.colours
    require(len(set(classes)) == len(classes), "two classes have one name")
    require(len(colours) == len(classes), f"{len(colours)} colours for {len(classes)} classes")
    require(len(set(colours)) == len(colours), "two classes have one colour")
    fit = all(len(colour) == 3 and all(0 <= x <= 255 for x in colour) for colour in colours)
    require(fit, "a colour is not red, green and blue in 0..255")


def _check_reading(dataset: Dataset, index: int) -> None:
    """Read again, changed and read again, and in another process, a sample is the same."""
    sample = dataset[index]
    before = Sample(sample.name, sample.image.clone(), sample.label.clone())
    require(_equal(dataset[index], before), "it is not the same when it is read again")
    sample.image.fill_(0.5)
    sample.label.fill_(0)
    require(_equal(dataset[index], before), "a change of the sample changes the dataset")
    try:
        copy = pickle.loads(pickle.dumps(dataset))
    except Exception as error:  # whatever pickle says of whichever attribute
        raise AssertionError(f"the dataset cannot be sent to another process: {error}") from error
    require(_equal(copy[index], before), "it is not the same when another process reads it")


def _check_windows(dataset: Dataset, index: int) -> None:
    height, width = dataset.sizes[index]
    whole, side = dataset[index], max(min(height, width) // 2, 1)
    corner = height - side, width - side
    for top, left in ((0, 0), corner, (min(1, corner[0]), min(2, corner[1]))):
        window = Window.square(top, left, side)
        rows, columns = window.rows, window.columns
        wanted = Sample(whole.name, whole.image[:, rows, columns], whole.label[..., rows, columns])
        same = _equal(part_of(dataset, index, window), wanted)
        require(same, f"its window of {side} at ({top}, {left}) is not that part of the whole")


def _check_files(dataset: OnDisk, label: Tensor, length: int) -> None:
    files = dataset.label_files
    require(len(files) == length, f"{len(files)} label files for {length} samples")
    missing = [str(path) for path in files if not path.is_file()]
    require(not missing, f"{missing[:1]} is no file")
    same = torch.equal(dataset.label(length - 1), label)
    require(same, "label() reads another label than the sample has")


def _equal(one: Sample, two: Sample) -> bool:
    same = torch.equal(one.image, two.image) and torch.equal(one.label, two.label)
    return same and one.name == two.name
