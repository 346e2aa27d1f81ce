"""Parts of a dataset: samples that are held out by name, and folds for cross-validation."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
from pydantic import AfterValidator

from gridgen.data.dataset import Dataset, OnDisk, RuledLabels, Sample, label_rules, part_of
from gridgen.data.division import grouped, parts_of
from gridgen.errors import DataError
from gridgen.images import Window
from gridgen.names import composed


class Subset:
    """The samples of `whole` at `indices`, in that order. Its name is that of the whole."""

    def __init__(self, whole: Dataset, indices: Sequence[int]) -> None:
        self._whole, self._indices = whole, tuple(indices)
        self.name, self.task, self.channels = whole.name, whole.task, whole.channels
        self.classes, self.colours = whole.classes, whole.colours
        self.names = tuple(whole.names[index] for index in indices)
        self.sizes = tuple(whole.sizes[index] for index in indices)

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Sample:
        return self._whole[self._indices[index]]

    def window(self, index: int, window: Window) -> Sample:
        """The part of a sample, read as cheaply as the whole dataset can."""
        return part_of(self._whole, self._indices[index], window)


class SubsetOnDisk(Subset):
    """A subset of a dataset whose labels are files."""

    def __init__(self, whole: Dataset, indices: Sequence[int]) -> None:
        super().__init__(whole, indices)
        assert isinstance(whole, OnDisk)
        self._labels: OnDisk = whole

    @property
    def label_files(self) -> tuple[Path, ...]:
        """The files of the labels, in the order of the samples."""
        files = self._labels.label_files
        return tuple(files[index] for index in self._indices)

    @property
    def label_rules(self) -> str:
        """What the numbers in label files mean, as text."""
        return label_rules(self._labels)

    @property
    def label_sources(self) -> tuple[tuple[Path, ...], ...]:
        """Of each sample, all files of which its label is made."""
        if not isinstance(self._labels, RuledLabels):
            return tuple((path,) for path in self.label_files)
        sources = self._labels.label_sources
        return tuple(sources[index] for index in self._indices)

    def label(self, index: int) -> torch.Tensor:
        """The label of a sample; its image is not read."""
        return self._labels.label(self._indices[index])


def holdout(dataset: Dataset, pattern: str) -> tuple[Dataset, Dataset]:
    """Split a dataset into samples whose names do not match a shell pattern, and those that do.

    `*`, `?` and `[...]` have their meaning in a shell; case matters. Errors: `DataError` for a
    pattern that matches no sample or all samples.

    >>> from gridgen.data.shapes import Shapes
    >>> kept, apart = holdout(Shapes("train"), "train-00[12]*")
    >>> len(kept), len(apart), apart.names[0]
    (980, 20, 'train-0010')
    """
    wanted = composed(pattern)
    matching = [name for name in dataset.names if fnmatchcase(composed(name), wanted)]
    if not matching:
        nearest = _nearest(dataset.names, pattern)
        raise DataError(f"{_said(dataset, pattern)} none of {len(dataset)} names, {nearest}")
    if len(matching) == len(dataset):
        raise DataError(f"{_said(dataset, pattern)} all {len(dataset)} names; leave some to keep")
    return _two_parts(dataset, matching)


def fold(dataset: Dataset, text: str, group: str | None = None) -> tuple[Dataset, Dataset]:
    """Split a dataset into the samples of all other folds, and those of fold `K/N`.

    The names, in the order of `shuffled`, are cut into N parts that differ by one sample at most.
    So the N folds share nothing, and a sample that is added moves at most N - 1 others to the next
    fold. With a `group`, a regular expression as of `grouped`, whole groups are shared out to
    parts, each to the one that is smallest so far, the largest first. Errors: `DataError` for
    another text, and for fewer samples or groups than folds; as of `grouped`.

    >>> from gridgen.data.shapes import Shapes
    >>> rest, part = fold(Shapes("val"), "2/5")
    >>> len(rest), len(part)
    (51, 13)
    """
    require_fold(text)
    number, of = map(int, text.split("/"))
    groups = grouped(dataset.names, group)
    if of > len(groups):
        what = f"{'image' if group is None else 'group'}{'s' * (len(groups) != 1)}"
        fact = f"{len(groups)} {what} of train for {of} folds"
        raise DataError(f"{dataset.name}: fold {text}: {fact}; N of K/N is at most their number")
    return _two_parts(dataset, parts_of(groups, of)[number - 1])


class Division(NamedTuple):
    """What becomes of the images of train: trained on, scored as val (a fold), or held out."""

    train: Dataset
    fold: Dataset | None
    holdout: Dataset | None


def divided(
    train: Dataset, held_out: str | None, of_fold: str | None, group: str | None = None
) -> Division:
    """Hold out what matches a pattern, and take the fold `K/N` of the rest, where they are given.

    Errors: `DataError`, `UsageError`, as of `holdout` and `fold`.
    """
    apart = part = None
    if held_out is not None:
        train, apart = holdout(train, held_out)
    if of_fold is not None:
        train, part = fold(train, of_fold, group)
    return Division(train, part, apart)


def digest_of_names(dataset: Dataset) -> str:
    """SHA-256 of the names of all samples, by which a fold is known again."""
    said = json.dumps(sorted(map(composed, dataset.names)))
    return sha256(said.encode()).hexdigest()


def require_fold(text: str) -> None:
    """Refuse what is not `K/N`, the number of a fold and how many there are: `DataError`."""
    try:
        _fold(text)
    except ValueError as error:
        raise DataError(f"fold: {error}") from error


def _fold(text: str) -> str:
    """`text`, if it is `K/N`. Errors: `ValueError`."""
    parts = re.fullmatch(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", text)
    if parts is None or int(parts[2]) < 2 or int(parts[1]) > int(parts[2]):
        raise ValueError(f"{text!r} is not K/N with K from 1 to N; write 1/5, 2/5 ... 5/5")
    return text


FoldField = Annotated[str, AfterValidator(_fold)]
"""A field of a document that holds a fold, such as 2/5."""


def _two_parts(dataset: Dataset, names: Iterable[str]) -> tuple[Dataset, Dataset]:
    """The samples of other names, and those of these names, each in the order of the dataset."""
    part: Callable[[Dataset, Sequence[int]], Dataset]
    part = SubsetOnDisk if isinstance(dataset, OnDisk) else Subset
    wanted = frozenset(names)
    inside = [name in wanted for name in dataset.names]
    kept, apart = ([i for i, at in enumerate(inside) if at == side] for side in (False, True))
    return part(dataset, kept), part(dataset, apart)


def _said(dataset: Dataset, pattern: str) -> str:
    return f"{dataset.name}: the pattern {pattern!r} matches"


def _nearest(names: Sequence[str], pattern: str) -> str:
    """A phrase with the beginning of a name that is most like the pattern."""
    letters = pattern.strip("*").lower()
    beginnings = {name.lower()[: len(letters)]: name for name in reversed(names)}
    near = get_close_matches(letters, beginnings, n=1, cutoff=0)
    return f"such as {beginnings[near[0]]!r}; upper and lower case differ"
