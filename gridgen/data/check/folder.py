"""A dataset folder, read on past its faults: a training would stop at the first of them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from gridgen.data.check.split import Split
from gridgen.data.classes import UNLISTED, ClassList, read_classes
from gridgen.data.dataset import IGNORE
from gridgen.data.folder import require_agreement, splits_of, unequal, unpaired
from gridgen.data.frequencies import Counts
from gridgen.data.images import LABEL_SUFFIXES, SUFFIXES, read_header, read_ids, read_image
from gridgen.data.settings import read_settings
from gridgen.errors import DataError, GridgenError

Files = dict[str, Path]
Ids = npt.NDArray[np.integer]


class FolderReading:
    """The files of a folder, and of each split what they come to.

    Errors: `DataError` for a folder that is none or has no split.
    """

    def __init__(self, root: Path) -> None:
        self.name, self._root = root.resolve().name, root
        names = splits_of(root)
        self.whole = Split("", Counts(0))
        self._listed, self._white = self._class_list(), self._settings_white()
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

    def _settings_white(self) -> float | None:
        try:
            return read_settings(self._root).white
        except GridgenError as error:
            self.whole.fault("settings", error)
            return None

    def _folders(self, split: Split) -> tuple[Path, Path]:
        return self._root / split.name / "images", self._root / split.name / "labels"

    def _files_of(self, split: Split) -> tuple[Files, Files]:
        images, labels = self._folders(split)
        found = _named(images, SUFFIXES, split), _named(labels, LABEL_SUFFIXES, split)
        if not found[0]:
            split.fault("unpaired", f"{images}: no images; they end in {', '.join(SUFFIXES)}")
        return found

    def _read(self, split: Split, image: Path | None, label: Path | None) -> None:
        """Both files of a sample, as far as they are there and can be read."""
        size = self._read_image(split, image) if image else None
        ids = _read_ids(split, label) if label else None
        if label and ids is not None and self._listed:
            _add_label(split, label, ids, self._listed)
        if image and label and size and ids is not None and ids.shape != size:
            split.fault("sizes", unequal(label, ids.shape, image, size))

    def _read_image(self, split: Split, path: Path) -> tuple[int, ...] | None:
        """Its (height, width)."""
        try:
            header = read_header(path)
            image = read_image(path, header.channels, self._white)
        except DataError as error:
            split.fault("unreadable", error)
            return None
        split.add_image(path.stem, image, header.bits)
        self._channels.setdefault(header.channels, []).append(path)
        return tuple(image.shape[1:])


def _named(directory: Path, suffixes: tuple[str, ...], split: Split) -> Files:
    """The directory's visible files of those suffixes, of two of one name the first."""
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


def _read_ids(split: Split, path: Path) -> Ids | None:
    try:
        return read_ids(path)
    except DataError as error:
        split.fault("unreadable", error)
        return None


def _add_label(split: Split, path: Path, ids: Ids, listed: ClassList) -> None:
    """Count a label, whose unlisted ids are told with their pixels and ignored."""
    labels = listed.labels_of(ids)
    unlisted = labels == UNLISTED
    if unlisted.any():
        found = zip(*np.unique(ids[unlisted], return_counts=True), strict=True)
        shown = ", ".join(f"{number} ({pixels:,} pixels)" for number, pixels in found)
        split.fault("ids", f"{path}: ids that classes.txt has not: {shown}")
    split.add_label(torch.from_numpy(np.where(unlisted, IGNORE, labels)))
