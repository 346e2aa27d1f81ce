"""Labels that are image files: from the numbers and colours that they store to classes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gridgen.data.dataset import IGNORE
from gridgen.data.folder.classes import ClassList
from gridgen.data.folder.labels import UNLISTED, Labels, StoredLabel
from gridgen.data.folder.layout import Layout, SampleFiles
from gridgen.data.folder.settings import Meaning
from gridgen.errors import DataError
from gridgen.images import Window
from gridgen.images.files import read_samples
from gridgen.images.header import Samples
from gridgen.text import brief


class RasterLabels:
    """Labels that are images: their pixels are ids, other numbers, or the colours of classes."""

    def __init__(
        self, layout: Layout, split: str, listed: ClassList, faults: list[DataError]
    ) -> None:
        self.files = layout.labels(split, faults)
        self._numbers = _Table(_numbers(listed, layout.settings.values))
        self._colours = _Table(_colours(listed))

    def read(self, sample: SampleFiles, window: Window | None = None) -> StoredLabel:
        """As `LabelSource.read`. Errors: `DataError`."""
        header, stored = read_samples(sample.label, window)
        numbers, table = self._looked_up(sample.label, stored)
        return StoredLabel(table.find(numbers), header)

    def unlisted(self, sample: SampleFiles) -> str | None:
        """As `LabelSource.unlisted`. Errors: `DataError`."""
        stored, table = self._looked_up(sample.label, read_samples(sample.label)[1])
        missing = table.find(stored) == UNLISTED
        if not missing.any():
            return None
        coloured = table is self._colours
        numbers, pixels = np.unique(stored[missing], return_counts=True)
        shown = [
            f"{_hex(number) if coloured else number} ({count:,} pixel{'s' * (count > 1)})"
            for number, count in zip(numbers.tolist(), pixels.tolist(), strict=True)
        ]
        fact = f"{'colours' if coloured else 'ids'} that classes.txt has not: {brief(shown, 5)}"
        cure = "list them there" + ("" if coloured else ", or map them by values in dataset.yaml")
        return f"{sample.label}: {fact}; {cure}"

    def _looked_up(self, path: Path, samples: Samples) -> "tuple[npt.NDArray[np.integer], _Table]":
        """(H, W): what a label stores, a colour as one number, and the table to look it up in."""
        if samples.dtype.kind == "f":
            raise DataError(f"{path}: a label of floating point numbers; save ids as whole numbers")
        if samples.shape[2] == 1:
            return samples[..., 0], self._numbers
        if samples.shape[2] != 3 or samples.dtype != np.uint8:
            fact = f"a label of {samples.shape[2]} channels of {samples.dtype}"
            raise DataError(f"{path}: {fact}; save ids, or the colours of classes.txt as RGB")
        if self._numbers.keys.size and not self._colours.keys.size:
            raise DataError(f"{path}: a label of colours, but classes.txt repeats one; tell apart")
        return colour_numbers(samples), self._colours


class _Table:
    """Labels by stored numbers."""

    def __init__(self, labels: Mapping[int, int]) -> None:
        self.keys = np.array(sorted(labels), np.int64)
        self._labels = np.array([labels[key] for key in sorted(labels)], np.int64)
        self._bytes = np.full(256, UNLISTED, np.int64)
        for key in labels.keys() & range(256):
            self._bytes[key] = labels[key]

    def find(self, numbers: npt.NDArray[np.integer]) -> Labels:
        """The label of each number, or `UNLISTED`, in the same shape."""
        if numbers.dtype == np.uint8:
            return self._bytes.take(numbers)
        if numbers.dtype == np.uint64:  # what is no int64 is no key either
            numbers = np.minimum(numbers, np.uint64(np.iinfo(np.int64).max))
        if not self.keys.size:
            return np.full(numbers.shape, UNLISTED, np.int64)
        wide = numbers.astype(np.int64)
        place = np.searchsorted(self.keys, wide).clip(0, len(self.keys) - 1)
        return np.where(self.keys[place] == wide, self._labels[place], UNLISTED)


def _numbers(listed: ClassList, values: Mapping[int, Meaning] | None) -> dict[int, int]:
    """The label of each number that labels may store."""
    ids = {line.id: line.id if line.role == "class" else IGNORE for line in listed.lines}
    if values is None:
        return ids
    for number, meaning in values.items():
        if meaning != "ignore" and meaning not in ids:
            known = ", ".join(map(str, ids))
            fact = f"values: {number} stands for {meaning}, which classes.txt has not: {known}"
            raise DataError(f"dataset.yaml: {fact}")
    return {
        number: IGNORE if meaning == "ignore" else ids[meaning]
        for number, meaning in values.items()
    }


def _colours(listed: ClassList) -> dict[int, int]:
    """The label of each colour, as one number; none where two lines have one colour."""
    found: dict[int, int] = {}
    for line in listed.lines:
        red, green, blue = line.colour
        found[(red << 16) | (green << 8) | blue] = line.id if line.role == "class" else IGNORE
    return found if len(found) == len(listed.lines) else {}


def colour_numbers(samples: npt.NDArray[np.integer]) -> Labels:
    """(H, W): red, green and blue (H, W, 3) of 8 bits as one number each, #rrggbb."""
    red, green, blue = np.moveaxis(samples.astype(np.int64), 2, 0)
    numbers: Labels = (red << 16) | (green << 8) | blue
    return numbers


def _hex(colour: int) -> str:
    return f"#{colour:06x}"
