"""Datasets that are a directory: `{split}/images`, `{split}/labels` and `classes.txt`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gridgen.data.classes import UNLISTED, ClassList, read_classes
from gridgen.data.dataset import Sample, require_split
from gridgen.data.images import SUFFIXES, inspect_image, is_grey, read_ids, read_image
from gridgen.errors import DataError


@dataclass(frozen=True)
class Pair:
    """The two files of one sample."""

    image: Path
    label: Path


class Folder:
    """One split of a directory.

    `{split}/images/NAME.{png,jpg,jpeg,webp,tif,tiff}` goes with `{split}/labels/NAME.png`, a
    palette or grey PNG whose pixels are the ids that `classes.txt` lists; ids of role `ignore`
    become `IGNORE`. Other files are passed over. Images have 1 channel where all of all splits
    are grey, 3 otherwise, and sizes of their own.

    Every file is checked here, so that training does not stop in its third hour. Errors:
    `DataError` that names the file: no such split, an image or label that is missing, damaged
    or of another size than its partner, an id that is not listed.
    """

    def __init__(self, root: str | Path, split: str = "train") -> None:
        root = Path(root)
        self.name = root.resolve().name
        require_folder(root, split)
        self._list = read_classes(root / "classes.txt")
        self._pairs = _pairs(root / split / "images", root / split / "labels")
        self.sizes = tuple(_check(pair, self._list) for pair in self._pairs)
        self.channels = 1 if all(map(is_grey, all_images(root))) else 3
        self.classes = tuple(line.name for line in self._list.classes)
        self.colours = tuple(line.colour for line in self._list.classes)

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self._pairs[index]
        label = self._list.labels[read_ids(pair.label)]
        return Sample(
            name=pair.image.stem,
            image=read_image(pair.image, self.channels),
            label=torch.from_numpy(label),
        )


def require_folder(root: Path, split: str) -> None:
    """Refuse a directory without that split. Errors: `DataError`."""
    if not root.is_dir():
        raise DataError(f"{root}: no such directory")
    splits = [path.parent.name for path in root.glob("*/images")]
    if not splits:
        raise DataError(f"{root}: no split; a dataset has {{split}}/images and {{split}}/labels")
    require_split(str(root), split, splits)


def _pairs(images: Path, labels: Path) -> list[Pair]:
    """The samples of a split, sorted by name: each image has a label and each label an image."""
    image_of = files_by_name(images, SUFFIXES)
    label_of = files_by_name(labels, (".png",))
    if not image_of:
        raise DataError(f"{images}: no images; they end in {', '.join(SUFFIXES)}")
    for name in sorted(image_of.keys() ^ label_of.keys()):
        if name in image_of:
            raise DataError(f"{image_of[name]}: no label; it would be {labels / name}.png")
        raise DataError(f"{label_of[name]}: no image of that name in {images}")
    return [Pair(image_of[name], label_of[name]) for name in sorted(image_of)]


def files_by_name(directory: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """The directory's visible files of those suffixes, by name without suffix."""
    found: dict[str, Path] = {}
    for path in sorted(directory.glob("[!.]*")):
        if path.suffix.lower() not in suffixes:
            continue
        if path.stem in found:
            raise DataError(f"{path}: {found[path.stem].name} has the same name; remove one")
        found[path.stem] = path
    return found


def all_images(root: Path) -> list[Path]:
    """The images of all splits, which have the same channels."""
    return [path for path in root.glob("*/images/[!.]*") if path.suffix.lower() in SUFFIXES]


def _check(pair: Pair, listed: ClassList) -> tuple[int, int]:
    """(height, width) of both files, once they are known to be in order."""
    size = inspect_image(pair.image)
    ids = read_ids(pair.label)
    if ids.shape != size:
        raise DataError(
            f"{pair.label}: {_shown(ids.shape)} pixels, but {pair.image.name} has {_shown(size)}"
        )
    present = np.bincount(ids.ravel(), minlength=256) > 0
    unlisted = np.flatnonzero(present & (listed.labels == UNLISTED))
    if len(unlisted):
        known = ", ".join(map(str, listed.ids))
        raise DataError(f"{pair.label}: id {unlisted[0]} is not in classes.txt, which has {known}")
    return size


def _shown(size: tuple[int, ...]) -> str:
    height, width = size
    return f"{width}x{height}"
