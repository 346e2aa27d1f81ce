"""Checks a whole dataset, and finds what is odd across its splits."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import torch

from gridgen.arguments import PathLike, checked
from gridgen.data.check.likeness import ALIKE, nearest
from gridgen.data.check.readings import SPLITS, DataFinding, FolderReading, NamedReading, Split
from gridgen.data.datasets import DATASETS, find_dataset
from gridgen.data.labelled import absent_classes, named, nothing_labelled, too_few_classes
from gridgen.progress import OnProgress, no_progress


@dataclass(frozen=True)
class Alike:
    """Images of one split that look like an image of another: (name, name, likeness)."""

    split: str
    other: str
    pairs: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True)
class Checked:
    """The result of a check. `faults` would stop a training; `remarks` would not."""

    name: str
    classes: tuple[str, ...]
    splits: tuple[Split, ...]
    faults: tuple[DataFinding, ...]
    remarks: tuple[DataFinding, ...]
    alike: tuple[Alike, ...]

    def as_json(self) -> dict[str, Any]:
        """The result as JSON types."""
        return {
            "dataset": self.name,
            "classes": list(self.classes),
            "splits": {split.name: split.as_json() for split in self.splits},
            "faults": [fault.as_json() for fault in self.faults],
            "remarks": [remark.as_json() for remark in self.remarks],
            "alike": [
                {"splits": [alike.split, alike.other], "pairs": [list(p) for p in alike.pairs]}
                for alike in self.alike
            ],
        }


@checked
def check_data(name: PathLike, on_progress: OnProgress = no_progress) -> Checked:
    """Read every file of the folder at a path, or every sample of a dataset's name.

    `on_progress` is called for each sample. Whatever is wrong is a fault. Errors: `DataError` if
    there is no such dataset or folder, or no split in it.
    """
    name = str(name)
    is_folder = find_dataset(name) is DATASETS["folder"]
    reading = FolderReading(Path(name)) if is_folder else NamedReading(name)
    with warnings.catch_warnings(), _one_thread():
        # What Pillow finds odd in a file is a fault, or nothing that keeps it from being read.
        warnings.simplefilter("ignore")
        for number, _ in enumerate(reading.steps(), 1):
            on_progress(number, len(reading))
        alike = _alike(reading.splits)
    return Checked(
        name=reading.name,
        classes=reading.classes,
        splits=tuple(reading.splits),
        # A fault of a file that several splits read is told once.
        faults=tuple(dict.fromkeys(_faults(reading))),
        remarks=(*reading.whole.remarks, *_remarks(reading.splits, reading.classes)),
        alike=alike,
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Several threads would wait for each other at thousands of operations too small to share."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _faults(reading: FolderReading | NamedReading) -> Iterator[DataFinding]:
    """What is wrong in files, and what a training would miss in the labels of train and val."""
    for part in (reading.whole, *reading.splits):
        yield from part.faults
    if fault := too_few_classes(reading.name, reading.classes):
        yield DataFinding("classes", fault)
    for split in reading.splits:
        if split.name in SPLITS and reading.classes and _unlabelled(split):
            said = nothing_labelled(reading.name, split.name, split.labels)
            yield DataFinding("unlabelled", said)


def _unlabelled(split: Split) -> bool:
    """True where there are labels, with ids that are listed, and none of them is a class."""
    known = split.labels > 0 and all(fault.kind != "ids" for fault in split.faults)
    return known and not any(split.counts.frequencies().pixels)


def _alike(splits: list[Split]) -> tuple[Alike, ...]:
    """Compare every two splits; the images of the smaller one are looked up in the larger."""
    found = []
    for one, other in combinations(sorted(splits, key=lambda split: split.images), 2):
        pairs = tuple(
            (one.names[twins.one], other.names[twins.other], round(twins.likeness, 3))
            for twins in nearest(one.pictures, other.pictures, ALIKE)
        )
        found += [Alike(one.name, other.name, pairs)] if pairs else []
    return tuple(found)


def _remarks(splits: list[Split], classes: tuple[str, ...]) -> list[DataFinding]:
    remarks = []
    for split in splits:
        if split.unlabelled:
            said = f"none of its {split.unlabelled:,} images has a label, so none was read"
            remarks.append(DataFinding("unlabelled", f"{split.name}: {said}"))
        if split.blank:
            said = f"{split.name}: of one value throughout: {named(split.blank)}"
            remarks.append(DataFinding("blank", said))
        if split.nodata:
            share = split.nodata_pixels / split.pixels
            said = f"{share:.2%} of its pixels have no value, in {named(split.nodata)}"
            remarks.append(DataFinding("nodata", f"{split.name}: {said}"))
        if split.turned_apart:
            said = "image and label have orientation tags that differ"
            remarks.append(
                DataFinding("orientation", f"{split.name}: {said}: {named(split.turned_apart)}")
            )
        if split.passed_over:
            said = (
                f"{split.name}: neither image nor label by its ending: {named(split.passed_over)}"
            )
            remarks.append(DataFinding("passed-over", said))
        absent = absent_classes(split.name, classes, split.counts.frequencies().pixels)
        if absent and split.labels and not (_unlabelled(split) and split.name in SPLITS):
            remarks.append(DataFinding("absent", absent))
    for one, other in combinations(splits, 2):
        shared = sorted(set(one.names) & set(other.names))
        if shared:
            said = f"in {one.name} and in {other.name}: {named(shared)}"
            remarks.append(DataFinding("same-name", said))
    return remarks
