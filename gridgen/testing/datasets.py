"""The suite for datasets: samples are what they promise, in every process and every time."""

import pickle
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from gridgen.data import IGNORE, Dataset, Sample
from gridgen.data.dataset import OnDisk, Window, part_of
from gridgen.errors import unknown
from gridgen.grid.layers import shape_text
from gridgen.testing.requiring import require, saying, title
from gridgen.training.tasks import TASKS, Restoration, Segmentation

MOST_READ = 64
"""Samples whose names are compared; of larger splits, that many evenly spread."""


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
            _check_image(sample.image, (dataset.channels, *dataset.sizes[index]), "the image")
            _check_label(sample, dataset)
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


def _check_image(image: Tensor, shape: Sequence[int], what: str) -> None:
    require(image.dtype == torch.float32, f"{what} is {image.dtype}, not torch.float32")
    found = f"{what} is {shape_text(image.shape)}"
    require(tuple(image.shape) == tuple(shape), f"{found}, not {shape_text(shape)}")
    low, high = float(image.min()), float(image.max())
    require(0 <= low <= high <= 1, f"{what} has values from {low:g} to {high:g}, not in [0, 1]")


def _check_label(sample: Sample, dataset: Dataset) -> None:
    image, label = sample.image, sample.label
    if dataset.task == Restoration.name:
        _check_image(label, image.shape, "the label, an image,")
    elif dataset.task == Segmentation.name:
        _check_numbers(label, torch.int64, image, "the label")
        known = {*range(len(dataset.classes)), IGNORE}
        others = sorted({*label.flatten().tolist()} - known)
        fact = f"the label has the values {others}, which are neither classes nor IGNORE"
        require(not others, fact)
    else:  # what its labels are, a task of one's own knows
        fact = f"the label is {shape_text(label.shape)}"
        require(label.shape[-2:] == image.shape[1:], f"{fact}; its last two sides are the image's")
    if sample.instances is not None:
        _check_numbers(sample.instances(), torch.int32, image, "what instances() reads")


def _check_numbers(numbers: Tensor, dtype: torch.dtype, image: Tensor, what: str) -> None:
    require(numbers.dtype == dtype, f"{what} is {numbers.dtype}, not {dtype}")
    found, sides = shape_text(numbers.shape), image.shape[1:]
    require(numbers.shape == sides, f"{what} is {found}, not {shape_text(sides)} as the image")


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
        window = Window(top, left, side)
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
