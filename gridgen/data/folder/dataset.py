"""Datasets that are a folder: images, labels and `classes.txt`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from gridgen.arguments import PathLike
from gridgen.data.dataset import IGNORE, Sample
from gridgen.data.folder.classes import ClassList, read_classes
from gridgen.data.folder.coco import CocoLabels
from gridgen.data.folder.labels import LabelSource, labels_in
from gridgen.data.folder.layout import Layout, SampleFiles, paired
from gridgen.data.folder.raster import RasterLabels
from gridgen.data.folder.settings import CLASSES
from gridgen.errors import DataError
from gridgen.images import Window
from gridgen.images.files import channel_text, inspect_image, read_header, read_pixels
from gridgen.images.header import Header
from gridgen.images.rules import DecodedImage
from gridgen.images.scale import PixelScale


class Folder:
    """One split of a folder.

    Files lie as `dataset.yaml` says, by default `{split}/images/NAME` with `{split}/labels/NAME`.
    Labels are palette or grey images, whose pixels are the ids that `classes.txt` lists, or RGB
    images of the colours there; what has the role `ignore` becomes `IGNORE`. Other files are
    passed over. Images have sizes of their own, and in all splits the same channels; where some are
    grey and some RGB, all are read as RGB.

    Every file is checked here, so that training does not stop in its third hour. Errors:
    `DataError` that names the file: no such split, an image or label that is missing, damaged
    or of another size than its partner, an id that is not listed; `SpecError` in `dataset.yaml`.
    """

    task = "segmentation"

    def __init__(self, root: PathLike, split: str = "train") -> None:
        root = Path(root)
        self._root, self.name = root, root.resolve().name
        layout = Layout.of(root)
        layout.require(split)
        listed = read_classes(root / CLASSES)
        self._scale = layout.settings.scale
        lines = [(line.id, line.name, line.colour, line.role) for line in listed.lines]
        settings = layout.settings.model_dump(mode="json", exclude_defaults=True)
        self._rules = json.dumps([lines, settings], sort_keys=True)
        faults: list[DataError] = []
        self._source = label_source(layout, split, listed, faults)
        self._samples = paired(layout, split, self._source.files, faults)
        if faults:
            raise faults[0]
        self.names = tuple(sample.name for sample in self._samples)
        headers = [_check(sample, self._source) for sample in self._samples]
        self.sizes = tuple(header.size for header in headers)
        declared = self._scale.nodata is not None
        self._may_lack_values = [declared or header.may_lack_values for header in headers]
        others = [
            each
            for each in layout.splits
            if each != split and label_source(layout, each, listed, []).files
        ]
        self.channels = common_channels(layout, split, others)
        self.classes = tuple(line.name for line in listed.classes)
        self.colours = tuple(line.colour for line in listed.classes)

    @property
    def label_files(self) -> tuple[Path, ...]:
        """The files of the labels, in the order of the samples."""
        return tuple(sample.label for sample in self._samples)

    @property
    def label_rules(self) -> str:
        """What `classes.txt` and `dataset.yaml` said when the folder was opened, as JSON.

        Remarks and empty lines in them do not count.
        """
        return self._rules

    @property
    def label_sources(self) -> tuple[tuple[Path, ...], ...]:
        """Of each sample, its label file, and its image where pixels may have no value."""
        return tuple(
            (sample.label, *sample.images) if void else (sample.label,)
            for sample, void in zip(self._samples, self._may_lack_values, strict=True)
        )

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        return self._sample(index)

    def window(self, index: int, window: Window) -> Sample:
        """The part of a sample; only its pixels are converted."""
        return self._sample(index, window)

    def label(self, index: int) -> torch.Tensor:
        """The label of a sample; its image is read only where pixels may have no value."""
        if self._may_lack_values[index]:
            return self._sample(index).label
        return torch.from_numpy(labels_in(self._source, self._samples[index]))

    def _sample(self, index: int, window: Window | None = None) -> Sample:
        files = self._samples[index]
        pixels = pixels_in(files.images, self.channels, self._scale, window)
        label = torch.from_numpy(labels_in(self._source, files, window))
        if label.shape != (size := pixels.levels.shape[1:]):
            raise DataError(unequal(files.label, label.shape, files.images[0], size))
        if pixels.valid is not None:
            label[~pixels.valid] = IGNORE
        return Sample(name=files.name, image=pixels.levels, label=label)


def label_source(
    layout: Layout, split: str, listed: ClassList, faults: list[DataError]
) -> LabelSource:
    """Where the labels of a split come from, by the settings of its folder.

    Files that do not belong there are added to `faults`. Errors: `DataError`.
    """
    drawn = layout.settings.labels.endswith(".json")
    return (CocoLabels if drawn else RasterLabels)(layout, split, listed, faults)


def pixels_in(
    images: Sequence[Path], channels: int | None, scale: PixelScale, window: Window | None = None
) -> DecodedImage:
    """The image in a file, or in files of one channel each. Errors: `DataError`.

    As `read_pixels` does, None takes the channels that a file has.
    """
    if len(images) == 1:
        return read_pixels(images[0], channels, scale, window)
    parts = [read_pixels(path, 1, scale, window) for path in images]
    for path, part in zip(images, parts, strict=True):
        if (size := part.levels.shape[1:]) != (first := parts[0].levels.shape[1:]):
            raise DataError(unequal(path, size, images[0], first))
    masks = [part.valid for part in parts]
    valid = None if None in masks else torch.stack([m for m in masks if m is not None]).any(dim=0)
    return replace(parts[0], levels=torch.cat([part.levels for part in parts]), valid=valid)


def _check(sample: SampleFiles, source: LabelSource) -> Header:
    """The header of an image. Errors: `DataError` if a file is damaged, or sizes differ."""
    header = check_images(sample.images)
    labels = labels_in(source, sample)
    if labels.shape != header.size:
        raise DataError(unequal(sample.label, labels.shape, sample.images[0], header.size))
    return header


def check_images(images: Sequence[Path], *, in_bands: bool = False) -> Header:
    """The header of an image, the first one's of several files, once all are known to be whole.

    As `inspect_image` does. Errors: `DataError` if a file is damaged, or sizes differ.
    """
    header, *others = [inspect_image(path, in_bands=in_bands) for path in images]
    for path, other in zip(images[1:], others, strict=True):
        if other.size != header.size:
            raise DataError(unequal(path, other.size, images[0], header.size))
    return header


def common_channels(layout: Layout, split: str, others: Iterable[str]) -> int:
    """The number of channels that the images of splits have in common; grey and RGB together make
    3. Of files of one channel each, their number.

    Errors: `DataError` that names a file which differs, or one of `split` that cannot be read; what
    is damaged in `others` is told to those who open them.
    """
    found: dict[int, list[Path]] = {}
    for files in layout.images(split).values():
        found.setdefault(channels_of(files), []).append(files[0])
    for files in (each for other in others for each in layout.images(other).values()):
        with suppress(DataError):
            found.setdefault(channels_of(files), []).append(files[0])
    require_agreement(found)
    return max(found)


def channels_of(images: Sequence[Path]) -> int:
    """The channels of one image. Errors: `DataError`."""
    counted = [read_header(path).channels for path in images]
    if len(counted) > 1 and (odd := [p for p, c in zip(images, counted, strict=True) if c != 1]):
        raise DataError(f"{odd[0]}: one of {len(images)} files of an image; save it as grey")
    return sum(counted)


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


def unequal(label: Path, size: tuple[int, ...], image: Path, of_image: tuple[int, ...]) -> str:
    """The message for two files of a sample that differ in size (height, width)."""
    of = Path(image.parent.name, image.name)
    fact = f"{size_text(size)} pixels, but {of} has {size_text(of_image)}"
    return f"{label}: {fact}; all files of a sample have one size"


def size_text(size: tuple[int, ...]) -> str:
    """(height, width) as `--size` takes it: height first.

    >>> size_text((360, 480))
    '360x480'
    """
    height, width = size
    return f"{height}x{width}"
