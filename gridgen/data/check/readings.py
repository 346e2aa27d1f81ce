"""Reads each split of a dataset on past its faults, where a training would stop at the first."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gridgen.data.check.likeness import details
from gridgen.data.dataset import IGNORE, Dataset
from gridgen.data.datasets import find_dataset, folder_of, load_dataset
from gridgen.data.folder import no_images, require_agreement, splits_of, unequal, unpaired
from gridgen.data.folder_files import UNLISTED, ClassList, read_classes, read_settings
from gridgen.data.frequencies import Counts
from gridgen.errors import DataError, GridgenError
from gridgen.images.files import LABEL_SUFFIXES, SUFFIXES, read_header, read_ids, read_pixels
from gridgen.images.rules import IdArray
from gridgen.images.scale import FILE_SCALE, PixelScale


@dataclass(frozen=True)
class DataFinding:
    """Something wrong or odd: its kind in one word, and a line that says what and where."""

    kind: str
    text: str

    def as_json(self) -> dict[str, str]:
        """The contents as JSON types."""
        return {"kind": self.kind, "text": self.text}


@dataclass
class Split:
    """Statistics of the images and labels read so far. `counts` are those of the labels."""

    name: str
    counts: Counts
    images: int = 0
    labels: int = 0
    label_pixels: int = 0
    names: list[str] = field(default_factory=list)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    depths: Counter[tuple[int, int | None]] = field(default_factory=Counter)
    """Number of images by (channels, bits); bits are None if no file says them."""
    details: list[Tensor] = field(default_factory=list)
    """The details of each image, in the order of `names`."""
    blank: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    """Files beside the images and labels that are neither."""
    faults: list[DataFinding] = field(default_factory=list)

    def add_image(self, name: str, image: Tensor, bits: int | None) -> None:
        """Add an image (channels, H, W)."""
        self.images += 1
        self.names.append(name)
        height, width = image.shape[1:]
        self.sizes[height, width] += 1
        self.depths[len(image), bits] += 1
        self.details.append(details(image))
        if image.amin() == image.amax():
            self.blank.append(name)

    def add_label(self, label: Tensor) -> None:
        """Add a label (H, W)."""
        self.labels += 1
        self.label_pixels += label.numel()
        self.counts.add(label)

    @property
    def ignored(self) -> float:
        """The share of label pixels without a class."""
        return 1 - sum(self.counts.frequencies().pixels) / max(self.label_pixels, 1)

    def fault(self, kind: str, text: object) -> None:
        """Record a fault."""
        self.faults.append(DataFinding(kind, str(text)))

    def as_json(self) -> dict[str, Any]:
        """The contents as JSON types."""
        found = self.counts.frequencies()
        return {
            "images": self.images,
            "sizes": {f"{height}x{width}": n for (height, width), n in self.sizes.most_common()},
            "depths": [
                {"channels": channels, "bits": bits, "images": number}
                for (channels, bits), number in self.depths.most_common()
            ],
            "pixels": list(found.pixels),
            "images_with_class": list(found.images),
            "ignored_pixels": self.label_pixels - sum(found.pixels),
            "median_frequency_weights": list(found.weights),
        }


SPLITS = ("train", "val")


class NamedReading:
    """Reads train and val of a dataset that has a name.

    A split that cannot be opened is a fault. Errors: `DataError` if there is no such dataset, or
    no folder that it could read.
    """

    def __init__(self, name: str) -> None:
        find_dataset(name)
        self.whole = Split("", Counts(0))
        self._datasets = self._opened(name)
        first = next(iter(self._datasets.values()), None)
        self.name, self.classes = (first.name, first.classes) if first else (name, ())
        self.splits = [Split(split, Counts(len(self.classes))) for split in self._datasets]

    def __len__(self) -> int:
        return sum(map(len, self._datasets.values()))

    def steps(self) -> Iterator[None]:
        """Read everything; yields after each sample."""
        for split, dataset in zip(self.splits, self._datasets.values(), strict=True):
            for index in range(len(dataset)):
                _read_sample(split, dataset, index)
                yield

    def _opened(self, name: str) -> dict[str, Dataset]:
        found, folder = {}, folder_of(name)
        for split in SPLITS:
            try:
                found[split] = load_dataset(name, split)
            except DataError as error:
                if folder is None or not folder.is_dir():
                    raise
                self.whole.fault("unreadable", error)
        return found


def _read_sample(split: Split, dataset: Dataset, index: int) -> None:
    try:
        sample = dataset[index]
    except DataError as error:
        split.fault("unreadable", error)
        return
    split.add_image(sample.name, sample.image, None)
    if not sample.label.is_floating_point():  # ids of classes, which can be counted
        split.add_label(sample.label)


Files = dict[str, Path]


class FolderReading:
    """Reads all splits of a dataset folder.

    Errors: `DataError` if there is no such folder, or no split in it.
    """

    def __init__(self, root: Path) -> None:
        self.name, self._root = root.resolve().name, root
        names = splits_of(root)
        self.whole = Split("", Counts(0))
        self._listed, self._scale = self._class_list(), self._settings_scale()
        self.classes = tuple(line.name for line in self._listed.classes) if self._listed else ()
        self.splits = [Split(name, Counts(len(self.classes))) for name in names]
        self._files = [self._files_of(split) for split in self.splits]
        self._channels: dict[int, list[Path]] = {}

    def __len__(self) -> int:
        return sum(len(images.keys() | labels.keys()) for images, labels in self._files)

    def steps(self) -> Iterator[None]:
        """Read everything; yields after each sample."""
        for split, (images, labels) in zip(self.splits, self._files, strict=True):
            for name in sorted(images.keys() | labels.keys()):
                if name not in images or name not in labels:
                    folders = self._folders(split)
                    split.fault("unpaired", unpaired(name, images, labels, *folders))
                self._read(split, images.get(name), labels.get(name))
                yield
        try:
            require_agreement(self._channels)
        except DataError as error:
            self.whole.fault("channels", error)

    def _class_list(self) -> ClassList | None:
        try:
            return read_classes(self._root / "classes.txt")
        except DataError as error:
            self.whole.fault("classes", error)
            return None

    def _settings_scale(self) -> PixelScale:
        try:
            return read_settings(self._root).scale
        except GridgenError as error:
            self.whole.fault("settings", error)
            return FILE_SCALE

    def _folders(self, split: Split) -> tuple[Path, Path]:
        return self._root / split.name / "images", self._root / split.name / "labels"

    def _files_of(self, split: Split) -> tuple[Files, Files]:
        images, labels = self._folders(split)
        found = _named(images, SUFFIXES, split), _named(labels, LABEL_SUFFIXES, split)
        if not found[0]:
            split.fault("unpaired", no_images(images))
        return found

    def _read(self, split: Split, image: Path | None, label: Path | None) -> None:
        """Read the files of a sample that exist and can be read."""
        size = self._read_image(split, image) if image else None
        ids = _read_ids(split, label) if label else None
        if label and ids is not None and self._listed:
            _add_label(split, label, ids, self._listed)
        if image and label and size and ids is not None and ids.shape != size:
            split.fault("sizes", unequal(label, ids.shape, image, size))

    def _read_image(self, split: Split, path: Path) -> tuple[int, ...] | None:
        """Read an image and return its (height, width)."""
        try:
            header = read_header(path)
            pixels = read_pixels(path, header.channels, self._scale)
        except DataError as error:
            split.fault("unreadable", error)
            return None
        split.add_image(path.stem, pixels.levels, header.bits)
        self._channels.setdefault(header.channels, []).append(path)
        return header.size


def _named(directory: Path, suffixes: tuple[str, ...], split: Split) -> Files:
    """The directory's visible files with those suffixes; of two with one name, the first."""
    found: Files = {}
    for path in sorted(directory.glob("[!.]*")):
        if path.suffix.lower() not in suffixes:
            split.passed_over.append(f"{directory.name}/{path.name}")
            continue
        if path.stem in found:
            fact = f"{path}: {found[path.stem].name} has the same name; remove one"
            split.fault("unpaired", fact)
        found.setdefault(path.stem, path)
    return found


def _read_ids(split: Split, path: Path) -> IdArray | None:
    try:
        return read_ids(path)
    except DataError as error:
        split.fault("unreadable", error)
        return None


def _add_label(split: Split, path: Path, ids: IdArray, listed: ClassList) -> None:
    """Count a label. Unlisted ids are a fault, with their numbers of pixels, and are ignored."""
    labels = listed.labels_of(ids)
    unlisted = labels == UNLISTED
    if unlisted.any():
        found = zip(*np.unique(ids[unlisted], return_counts=True), strict=True)
        shown = ", ".join(f"{number} ({pixels:,} pixels)" for number, pixels in found)
        split.fault("ids", f"{path}: ids that classes.txt has not: {shown}")
    split.add_label(torch.from_numpy(np.where(unlisted, IGNORE, labels)))
