"""A part of a dataset, by the names of its samples: what is held out, and what is left."""

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

import torch

from gridgen.data.dataset import Dataset, OnDisk, Sample, Window, part_of
from gridgen.errors import DataError


class Part:
    """The samples of `whole` at `indices`, in that order, under the name of the whole."""

    def __init__(self, whole: Dataset, indices: Sequence[int]) -> None:
        self._whole, self._indices = whole, tuple(indices)
        self.name, self.channels = whole.name, whole.channels
        self.classes, self.colours = whole.classes, whole.colours
        self.names = tuple(whole.names[index] for index in indices)
        self.sizes = tuple(whole.sizes[index] for index in indices)

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Sample:
        return self._whole[self._indices[index]]

    def window(self, index: int, window: Window) -> Sample:
        """That part of a sample, as cheaply as the whole dataset has it."""
        return part_of(self._whole, self._indices[index], window)


class PartOnDisk(Part):
    """The same of a dataset whose labels are files."""

    def __init__(self, whole: Dataset, indices: Sequence[int]) -> None:
        super().__init__(whole, indices)
        assert isinstance(whole, OnDisk)
        self._labels: OnDisk = whole

    @property
    def label_files(self) -> tuple[Path, ...]:
        """The file of each label."""
        files = self._labels.label_files
        return tuple(files[index] for index in self._indices)

    def label(self, index: int) -> torch.Tensor:
        """The label of a sample, whose image is not read."""
        return self._labels.label(self._indices[index])


def holdout(dataset: Dataset, pattern: str) -> tuple[Dataset, Dataset]:
    """The samples whose names do not match a shell pattern, and those that do.

    `*`, `?` and `[...]` as in a shell, upper and lower case apart. Errors: `DataError` for a
    pattern that matches none or all.

    >>> from gridgen.data.shapes import Shapes
    >>> kept, apart = holdout(Shapes("train"), "train-00[12]*")
    >>> len(kept), len(apart), apart.names[0]
    (980, 20, 'train-0010')
    """
    matching = [fnmatchcase(name, pattern) for name in dataset.names]
    if not any(matching):
        nearest = _nearest(dataset.names, pattern)
        raise DataError(f"{_said(dataset, pattern)} none of {len(dataset)} names, {nearest}")
    if all(matching):
        raise DataError(f"{_said(dataset, pattern)} all {len(dataset)} names; leave some to keep")
    part = PartOnDisk if isinstance(dataset, OnDisk) else Part
    kept = [index for index, matches in enumerate(matching) if not matches]
    apart = [index for index, matches in enumerate(matching) if matches]
    return part(dataset, kept), part(dataset, apart)


def _said(dataset: Dataset, pattern: str) -> str:
    return f"{dataset.name}: the pattern {pattern!r} matches"


def _nearest(names: Sequence[str], pattern: str) -> str:
    """The name whose beginning is most like the pattern's letters, in words."""
    letters = pattern.strip("*").lower()
    beginnings = {name.lower()[: len(letters)]: name for name in reversed(names)}
    near = get_close_matches(letters, beginnings, n=1, cutoff=0)
    return f"such as {beginnings[near[0]]!r}; upper and lower case differ"
