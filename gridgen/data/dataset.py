"""What every dataset offers. Each dataset has a file of its own."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch

from gridgen.errors import DataError, unknown
from gridgen.grid.layers import shape_text
from gridgen.images import Window

Colour = tuple[int, int, int]

IGNORE = 255
"""The label of pixels that count neither in the loss nor in the metric."""


@dataclass(frozen=True, eq=False)
class Sample:
    """An image and its label. `name` is unique within the split and fit for a file name."""

    name: str
    image: torch.Tensor
    """float32 (channels, H, W) in [0, 1]."""
    label: torch.Tensor
    """What the task learns. Of a segmentation int64 (H, W): class ids 0..K-1, or `IGNORE`; of a
    restoration the clean image, with the dtype, shape and range of `image`.
    """
    instances: Callable[[], torch.Tensor] | None = None
    """Reads int32 (H, W): the number of the object that a pixel belongs to, 0 for pixels of no
    numbered object. None if the dataset numbers no objects. Errors: `DataError`.
    """


@runtime_checkable
class Dataset(Protocol):
    """One split: a sequence of samples, the same each time it is read.

    `dataset[len(dataset)]` is an `IndexError`, so a plain loop and a data loader both end.
    """

    @property
    def name(self) -> str:
        """The name of the dataset in reports, without the split."""

    @property
    def task(self) -> str:
        """What networks learn from it: segmentation, restoration, or another task by its name."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The K class names, in the order of their ids; empty if labels tell no classes."""

    @property
    def colours(self) -> tuple[Colour, ...]:
        """The colour of each class in pictures: red, green, blue in 0..255."""

    @property
    def channels(self) -> int:
        """Channels of every image: 1 (grey), 3 (RGB), or as many as there are."""

    @property
    def names(self) -> tuple[str, ...]:
        """The name of every sample, known without reading it."""

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of every image, known without reading it again."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...


@runtime_checkable
class OnDisk(Protocol):
    """A dataset whose labels are files, which can be read without their images."""

    @property
    def label_files(self) -> tuple[Path, ...]:
        """The files of the labels, in the order of the samples."""

    def label(self, index: int) -> torch.Tensor:
        """The label of a sample."""


@runtime_checkable
class RuledLabels(Protocol):
    """A dataset of label files that are not all of the labels: other files say what they mean."""

    @property
    def label_rules(self) -> str:
        """What those files say, as text. Where it changes, equal files may be other labels."""

    @property
    def label_sources(self) -> tuple[tuple[Path, ...], ...]:
        """Of each sample, all files of which its label is made: the image too, where its pixels
        without a value are ignored.
        """


def label_rules(dataset: object) -> str:
    """What the numbers in label files of a dataset mean, as text; "" where nothing else says it."""
    return dataset.label_rules if isinstance(dataset, RuledLabels) else ""


def label_sources(dataset: OnDisk) -> tuple[Path, ...]:
    """All files of which labels are made, each once. Where none changes, no label does."""
    if not isinstance(dataset, RuledLabels):
        return tuple(dict.fromkeys(dataset.label_files))
    return tuple(dict.fromkeys(chain.from_iterable(dataset.label_sources)))


@runtime_checkable
class Windowed(Protocol):
    """A dataset that reads a part of a sample for less than the whole sample costs."""

    def window(self, index: int, window: Window) -> Sample:
        """The part of a sample's image and label that `window` covers, without instances."""


def part_of(dataset: Dataset, index: int, window: Window) -> Sample:
    """The part of a sample's image and label that `window` covers, without instances."""
    if isinstance(dataset, Windowed):
        return dataset.window(index, window)
    sample = dataset[index]
    image, label = (
        whole[..., window.rows, window.columns] for whole in (sample.image, sample.label)
    )
    return Sample(sample.name, image, label)


def require_ids(dataset: Dataset, name: str, label: torch.Tensor) -> None:
    """Refuse a label that is no class of the dataset: `DataError` with its sample's name.

    Losses and scores would take it for another class or for `IGNORE`, or fail on a GPU without
    saying where. Looked at are class ids (H, W); labels of other kinds are not.
    """
    if dataset.classes and holds_ids(label):
        require_classes(f"{dataset.name}: the label of {name}", label, len(dataset.classes))


def holds_ids(label: torch.Tensor) -> bool:
    """True for class ids (H, W), False for labels of other kinds."""
    return not label.is_floating_point() and label.dim() == 2


def require_classes(what: str, label: torch.Tensor, classes: int) -> None:
    """Refuse values that are neither below `classes` nor `IGNORE`: `DataError` that begins so."""
    low, high = torch.where(label == IGNORE, 0, label).aminmax()
    if low < 0 or high >= classes:
        fact = f"{what} holds {int(low if low < 0 else high)}, which is no class"
        known = f"ids are 0 to {classes - 1}, and {IGNORE} where a pixel is ignored"
        raise DataError(f"{fact}; {known}")


def require_image_tensor(what: str, tensor: torch.Tensor, shape: Sequence[int]) -> None:
    """Refuse a tensor that is no image of that shape with values in [0, 1]: `DataError`."""
    _require(what, tensor, torch.float32, shape)
    low, high = float(tensor.min()), float(tensor.max())
    if not 0 <= low <= high <= 1:
        raise DataError(f"{what} has values from {low:g} to {high:g}, not in [0, 1]")


def require_numbers(
    what: str, tensor: torch.Tensor, dtype: torch.dtype, image: torch.Tensor
) -> None:
    """Refuse a tensor that has not one number of that type for each pixel: `DataError`."""
    _require(what, tensor, dtype, image.shape[1:], " as the image")


def _require(
    what: str, tensor: torch.Tensor, dtype: torch.dtype, shape: Sequence[int], why: str = ""
) -> None:
    if tensor.dtype != dtype:
        raise DataError(f"{what} is {tensor.dtype}, not {dtype}")
    if tuple(tensor.shape) != tuple(shape):
        raise DataError(f"{what} is {shape_text(tensor.shape)}, not {shape_text(shape)}{why}")


def require_split(dataset: str, split: str, splits: Iterable[str]) -> None:
    """Refuse a split that is not among `splits`: `DataError` that lists those."""
    splits = tuple(splits)
    if split not in splits:
        raise DataError(f"{dataset}: {unknown('split', split, splits)}")
