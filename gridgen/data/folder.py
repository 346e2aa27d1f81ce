"""Datasets that are a directory: `{split}/images`, `{split}/labels` and `classes.txt`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from gridgen.data.dataset import IGNORE, Sample, require_split
from gridgen.data.folder_files import UNLISTED, ClassList, read_classes, read_settings
from gridgen.errors import DataError
from gridgen.images import Window
from gridgen.images.files import (
    LABEL_SUFFIXES,
    SUFFIXES,
    channel_text,
    inspect_image,
    read_header,
    read_ids,
    read_pixels,
)
from gridgen.images.header import Header


@dataclass(frozen=True)
class Pair:
    """The two files of one sample."""

    image: Path
    label: Path


class Folder:
    """One split of a directory.

    `{split}/images/NAME.{png,jpg,jpeg,webp,tif,tiff}` goes with `{split}/labels/NAME.png`, or a
    `.tif`, palette or grey, whose pixels are the ids that `classes.txt` lists; ids of role
    `ignore` become `IGNORE`. Other files are passed over. `dataset.yaml`, which may be absent,
    says what white is. Images have sizes of their own, and in all splits the same channels; where
    some are grey and some RGB, all are read as RGB.

    Every file is checked here, so that training does not stop in its third hour. Errors:
    `DataError` that names the file: no such split, an image or label that is missing, damaged
    or of another size than its partner, an id that is not listed; `SpecError` in `dataset.yaml`.
    """

    task = "segmentation"

    def __init__(self, root: str | Path, split: str = "train") -> None:
        root = Path(root)
        self.name = root.resolve().name
        require_folder(root, split)
        self._list = read_classes(root / "classes.txt")
        self._scale = read_settings(root).scale
        self._pairs = _pairs(root / split / "images", root / split / "labels")
        self.names = tuple(pair.image.stem for pair in self._pairs)
        headers = [_check(pair, self._list) for pair in self._pairs]
        self.sizes = tuple(header.size for header in headers)
        declared = self._scale.nodata is not None
        self._may_lack_values = [declared or header.may_lack_values for header in headers]
        self.channels = common_channels(all_images(root))
        self.classes = tuple(line.name for line in self._list.classes)
        self.colours = tuple(line.colour for line in self._list.classes)

    @property
    def label_files(self) -> tuple[Path, ...]:
        """The files of the labels, in the order of the samples."""
        return tuple(pair.label for pair in self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> Sample:
        return self._sample(index)

    def window(self, index: int, window: Window) -> Sample:
        """The part of a sample; only its pixels are converted."""
        return self._sample(index, window)

    def label(self, index: int) -> torch.Tensor:
        """The label of a sample; its image is read only where pixels may have no value."""
        if self._may_lack_values[index]:
            return self._sample(index).label
        return torch.from_numpy(labels_in(self._pairs[index].label, self._list))

    def _sample(self, index: int, window: Window | None = None) -> Sample:
        pair = self._pairs[index]
        pixels = read_pixels(pair.image, self.channels, self._scale, window)
        label = torch.from_numpy(labels_in(pair.label, self._list, window))
        if label.shape != (size := pixels.levels.shape[1:]):
            raise DataError(unequal(pair.label, label.shape, pair.image, size))
        if pixels.valid is not None:
            label[~pixels.valid] = IGNORE
        return Sample(name=self.names[index], image=pixels.levels, label=label)


def require_folder(root: Path, split: str) -> None:
    """Refuse a directory without that split. Errors: `DataError`."""
    require_split(str(root), split, splits_of(root))


def splits_of(root: Path) -> list[str]:
    """The names of the splits of a directory. Errors: `DataError` where it has none."""
    if not root.is_dir():
        raise DataError(f"{root}: no such directory")
    splits = sorted(path.parent.name for path in root.glob("*/images"))
    if not splits:
        raise DataError(f"{root}: no split; a dataset has {{split}}/images and {{split}}/labels")
    return splits


def _pairs(images: Path, labels: Path) -> list[Pair]:
    """The samples of a split, sorted by name: each image has a label and each label an image."""
    image_of = files_by_name(images, SUFFIXES)
    label_of = files_by_name(labels, LABEL_SUFFIXES)
    if not image_of:
        raise DataError(no_images(images))
    for name in sorted(image_of.keys() ^ label_of.keys()):
        raise DataError(unpaired(name, image_of, label_of, images, labels))
    return [Pair(image_of[name], label_of[name]) for name in sorted(image_of)]


def no_images(folder: Path) -> str:
    """The message for a folder without images."""
    return f"{folder}: no images; they end in {', '.join(SUFFIXES)}"


def unpaired(
    name: str, image_of: dict[str, Path], label_of: dict[str, Path], images: Path, labels: Path
) -> str:
    """The message for a file that has no partner."""
    if name in image_of:
        return f"{image_of[name]}: no label; it would be {labels / name}.png"
    return f"{label_of[name]}: no image of that name in {images}"


def files_by_name(directory: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """The directory's visible files with those suffixes, by name without suffix."""
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
    return sorted(p for p in root.glob("*/images/[!.]*") if p.suffix.lower() in SUFFIXES)


def common_channels(images: Iterable[Path]) -> int:
    """The number of channels that a set of image files has in common; grey and RGB together make 3.

    Errors: `DataError` that names a file which differs.
    """
    found: dict[int, list[Path]] = {}
    for path in images:
        found.setdefault(read_header(path).channels, []).append(path)
    require_agreement(found)
    return max(found)


def require_agreement(found: Mapping[int, Sequence[Path]]) -> None:
    """Refuse image files, by number of channels, that do not agree.

    Errors: `DataError` that names a file with the rarest number.
    """
    if len(found) > 1 and not found.keys() <= {1, 3}:
        usual = max(found, key=lambda channels: len(found[channels]))
        odd = min(
            found.keys() - {usual}, key=lambda channels: (channels in (1, 3), len(found[channels]))
        )
        fact = f"{channel_text(odd)}, but {found[usual][0]} has {usual}"
        raise DataError(f"{found[odd][0]}: {fact}; the images of a dataset agree")


def labels_in(path: Path, listed: ClassList, window: Window | None = None) -> npt.NDArray[np.int64]:
    """(H, W): the label of each pixel, or of those in `window`.

    Errors: `DataError` that names file and unlisted id.
    """
    ids = read_ids(path, window)
    labels = listed.labels_of(ids)
    unlisted = labels == UNLISTED
    if unlisted.any():
        known = ", ".join(map(str, listed.ids))
        least = int(ids[unlisted].min())
        raise DataError(f"{path}: id {least} is not in classes.txt, which has {known}")
    return labels


def _check(pair: Pair, listed: ClassList) -> Header:
    """The header of the image. Errors: `DataError` if a file is damaged, or their sizes differ."""
    header = inspect_image(pair.image)
    labels = labels_in(pair.label, listed)
    if labels.shape != header.size:
        raise DataError(unequal(pair.label, labels.shape, pair.image, header.size))
    return header


def unequal(label: Path, size: tuple[int, ...], image: Path, of_image: tuple[int, ...]) -> str:
    """The message for two files of a sample that differ in size (height, width)."""
    return f"{label}: {size_text(size)} pixels, but {image.name} has {size_text(of_image)}"


def size_text(size: tuple[int, ...]) -> str:
    """(height, width) as `--size` takes it: height first.

    >>> size_text((360, 480))
    '360x480'
    """
    height, width = size
    return f"{height}x{width}"
