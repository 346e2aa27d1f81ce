"""Reads each split of a dataset on past its faults, where a training would stop at the first."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gridgen.data.check.likeness import small_grey
from gridgen.data.check.palettes import PaletteColours
from gridgen.data.dataset import IGNORE, Dataset
from gridgen.data.datasets import find_dataset, folder_of, load_dataset
from gridgen.data.folder import ClassList, FolderSettings, read_classes, unequal
from gridgen.data.folder.dataset import channels_of, label_source, pixels_in, require_agreement
from gridgen.data.folder.labels import UNLISTED, LabelSource, StoredLabel
from gridgen.data.folder.layout import Layout, SampleFiles, paired
from gridgen.data.frequencies import Counts
from gridgen.errors import DataError, SpecError
from gridgen.images.rules import DecodedImage


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
    pictures: list[Tensor] = field(default_factory=list)
    """A small grey picture of each image, in the order of `names`."""
    blank: list[str] = field(default_factory=list)
    nodata: list[str] = field(default_factory=list)
    """Images with pixels that have no value."""
    nodata_pixels: int = 0
    turned_apart: list[str] = field(default_factory=list)
    """Images whose orientation tag says another thing than that of their label."""
    passed_over: list[str] = field(default_factory=list)
    """Files beside the images and labels that are neither."""
    unlabelled: int = 0
    """Images of a split without any label, which no training reads; they are not read here."""
    faults: list[DataFinding] = field(default_factory=list)
    remarks: list[DataFinding] = field(default_factory=list)
    """What is odd, beside what follows from the fields above."""

    def add_image(self, name: str, image: Tensor, bits: int | None) -> None:
        """Add an image (channels, H, W)."""
        self.images += 1
        self.names.append(name)
        height, width = image.shape[1:]
        self.sizes[height, width] += 1
        self.depths[len(image), bits] += 1
        self.pictures.append(small_grey(image))
        if image.amin() == image.amax():
            self.blank.append(name)

    def add_nodata(self, name: str, valid: Tensor) -> None:
        """Count the pixels of an image, (H, W), that have no value."""
        self.nodata.append(name)
        self.nodata_pixels += valid.numel() - int(valid.count_nonzero())

    @property
    def pixels(self) -> int:
        """Pixels of all images."""
        return sum(height * width * images for (height, width), images in self.sizes.items())

    def add_label(self, label: Tensor) -> list[int]:
        """Add a label (H, W); the classes that it shows."""
        self.labels += 1
        self.label_pixels += label.numel()
        shown: list[int] = self.counts.add(label).nonzero()[0].tolist()
        return shown

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
            "nodata_pixels": self.nodata_pixels,
            "pixels": list(found.pixels),
            "images_with_class": list(found.images),
            "ignored_pixels": self.label_pixels - sum(found.pixels),
            "median_frequency_weights": list(found.weights()),
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
        if sample.instances is not None:
            sample.instances()
    except DataError as error:
        split.fault("unreadable", error)
        return
    split.add_image(sample.name, sample.image, None)
    if not sample.label.is_floating_point():  # ids of classes, which can be counted
        split.add_label(sample.label)


class FolderReading:
    """Reads all splits of a dataset folder.

    Errors: `DataError` if there is no such folder, or no split in it.
    """

    def __init__(self, root: Path) -> None:
        self.name, self._root = root.resolve().name, root
        self.whole = Split("", Counts(0))
        self._listed = self._class_list()
        self._layout = self._layout_of(root)
        self._require_splits()
        self.classes = tuple(line.name for line in self._listed.classes) if self._listed else ()
        self.splits = [Split(name, Counts(len(self.classes))) for name in self._layout.splits]
        self._files = [self._files_of(split) for split in self.splits]
        self._channels: dict[int, list[Path]] = {}
        self._palettes = PaletteColours(self._listed or ClassList(()), self._layout.settings.values)

    def __len__(self) -> int:
        return sum(len(samples) for _, samples in self._files)

    def steps(self) -> Iterator[None]:
        """Read everything; yields after each sample."""
        for split, (source, samples) in zip(self.splits, self._files, strict=True):
            for sample in samples:
                self._read(split, source, sample)
                yield
        try:
            require_agreement(self._channels)
        except DataError as error:
            self.whole.fault("channels", error)
        said = self._palettes.remarks()
        self.whole.remarks += [DataFinding("palettes", text) for text in said]

    def _require_splits(self) -> None:
        """A split that a training would ask for in vain is a fault."""
        for split in SPLITS:
            try:
                self._layout.require(split)
            except DataError as error:
                self.whole.fault("splits", error)

    def _layout_of(self, root: Path) -> Layout:
        """The layout, by default settings where those of the folder are damaged."""
        try:
            return Layout.of(root)
        except SpecError as error:
            self.whole.fault("settings", error)
            return Layout.of(root, FolderSettings())

    def _class_list(self) -> ClassList | None:
        try:
            return read_classes(self._root / "classes.txt")
        except DataError as error:
            self.whole.fault("classes", error)
            return None

    def _files_of(self, split: Split) -> tuple[LabelSource | None, list[SampleFiles]]:
        """Where the labels of a split come from, and its samples."""
        layout, faults = self._layout, list[DataError]()
        try:
            source = label_source(layout, split.name, self._listed or ClassList(()), faults)
            if not source.files and split.name not in SPLITS:
                split.unlabelled = len(layout.images(split.name))
            if split.unlabelled:
                return source, []
            samples = paired(layout, split.name, source.files, faults)
        except DataError as error:
            split.fault("unreadable", error)
            return None, []
        for fault in faults:
            split.fault("unpaired", fault)
        unlike = layout.unlike(split.name)
        split.passed_over += [path.relative_to(self._root).as_posix() for path in unlike]
        return source, samples

    def _read(self, split: Split, source: LabelSource | None, sample: SampleFiles) -> None:
        """Read the files of a sample that can be read."""
        image = self._read_image(split, sample)
        read = _read_label(split, source, sample, self._listed is not None) if source else None
        if read is None:
            return
        label, header = read
        counted = torch.from_numpy(np.where(label == UNLISTED, IGNORE, label))
        if image and label.shape != (size := image.levels.shape[1:]):
            split.fault("sizes", unequal(sample.label, label.shape, sample.images[0], size))
        elif image and image.valid is not None:
            counted[~image.valid] = IGNORE
        shown = split.add_label(counted) if self._listed else []
        if header is None:
            return  # drawn from JSON, upright and without a palette
        self._palettes.add(f"{split.name}/{sample.name}", header, shown)
        if image and image.header.orientation != header.orientation:
            split.turned_apart.append(sample.name)

    def _read_image(self, split: Split, sample: SampleFiles) -> DecodedImage | None:
        """Read an image; None for a fault."""
        try:
            parts = channels_of(sample.images) if len(sample.images) > 1 else None
            pixels = pixels_in(sample.images, parts, self._layout.settings.scale)
        except DataError as error:
            split.fault("unreadable", error)
            return None
        split.add_image(sample.name, pixels.levels, pixels.header.bits)
        if pixels.valid is not None:
            split.add_nodata(sample.name, pixels.valid)
        self._channels.setdefault(len(pixels.levels), []).append(sample.images[0])
        return pixels


def _read_label(
    split: Split, source: LabelSource, sample: SampleFiles, listed: bool
) -> StoredLabel | None:
    """The label of a sample; what no class is known for is a fault, with its numbers of pixels."""
    try:
        read = source.read(sample)
        if listed and (read.labels == UNLISTED).any() and (fault := source.unlisted(sample)):
            split.fault("ids", fault)
    except DataError as error:
        split.fault("unreadable", error)
        return None
    return read
