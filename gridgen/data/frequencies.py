"""Class frequencies of a split, and the class weights that follow from them.

Counts of datasets on disk are cached in the user's data folder until a label file changes.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
import torch

from gridgen.data.dataset import Dataset, OnDisk, label_rules, label_sources, require_ids
from gridgen.errors import DataError, FileError
from gridgen.files import read_text, sha256, user_data_folder, write_file
from gridgen.progress import OnProgress, no_progress

MOST_WEIGHT = 50.0
"""What a class weighs at most, since a few pixels would otherwise decide every step."""


@dataclass(frozen=True)
class Frequencies:
    """Numbers of pixels and images of each class."""

    pixels: tuple[int, ...]
    """Pixels of the class."""
    around: tuple[int, ...]
    """Pixels of all images that show the class, including ignored pixels."""
    images: tuple[int, ...]
    """Images that show the class."""

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of each class in all pixels that are not ignored."""
        total = max(sum(self.pixels), 1)
        return tuple(pixels / total for pixels in self.pixels)

    def weights(self, power: float = 1.0, most: float = MOST_WEIGHT) -> tuple[float, ...]:
        """Weight of each class: (median frequency / frequency of the class)^power, at most `most`.

        A frequency is counted within the images that show the class. Source: D. Eigen and
        R. Fergus, ICCV 2015, section 6.3.2, adopted by SegNet. A class that never occurs weighs 1
        and is left out of the median, since no pixel uses its weight.

        >>> Frequencies(pixels=(75, 15, 0), around=(100, 60, 0), images=(2, 1, 0)).weights()
        (0.6666666666666666, 2.0, 1.0)
        """
        pairs = zip(self.pixels, self.around, strict=True)
        frequencies = [pixels / around if around else 0.0 for pixels, around in pairs]
        middle = median([frequency for frequency in frequencies if frequency] or [1.0])
        ratios = (middle / frequency if frequency else 1.0 for frequency in frequencies)
        return tuple(min(ratio**power, most) for ratio in ratios)


def count_pixels(dataset: Dataset, on_progress: OnProgress = no_progress) -> Frequencies:
    """Count the pixels per class over all samples, or reuse an earlier count of the same files.

    `on_progress` is called for each label that is read. Errors: `DataError` for a dataset without
    classes, for a label that is no class, or from reading one.
    """
    if not dataset.classes:
        raise DataError(f"{dataset.name} has no classes to count; its labels are images")
    place = _place(dataset, label_sources(dataset)) if isinstance(dataset, OnDisk) else None
    kept = _kept(place, len(dataset.classes)) if place else None
    if kept is not None:
        return kept
    counts = Counts(len(dataset.classes))
    for number, label in enumerate(_labels(dataset), 1):
        require_ids(dataset, dataset.names[number - 1], label)
        counts.add(label)
        on_progress(number, len(dataset))
    counted = counts.frequencies()
    if place:
        _keep(place, counted)
    return counted


class Counts:
    """Counts pixels of labels (H, W) as they are added; ids from `classes` on are ignored."""

    def __init__(self, classes: int) -> None:
        self._sums = np.zeros((3, classes), np.int64)

    def add(self, label: torch.Tensor) -> npt.NDArray[np.int64]:
        """Count the pixels of one label; (classes,), its own pixels of each class."""
        # By numpy, which takes a third of torch's time for labels as small as most are. Without
        # minlength, bincount would end at the largest id it meets. IGNORE, 255, is cut off.
        count = np.bincount(label.numpy().ravel(), minlength=256)[: self._sums.shape[1]]
        shown = count > 0
        self._sums += np.stack([count, shown * label.numel(), shown])
        return count

    def frequencies(self) -> Frequencies:
        """The frequencies of the labels added so far."""
        return Frequencies(*map(tuple, self._sums.tolist()))


def _labels(dataset: Dataset) -> Iterator[torch.Tensor]:
    for index in range(len(dataset)):
        yield dataset.label(index) if isinstance(dataset, OnDisk) else dataset[index].label


def _place(dataset: Dataset, paths: Sequence[Path]) -> Path | None:
    """The cache file for counts of labels that are made of these files; None if one is missing."""
    try:
        seen = [(str(path.resolve()), path.stat()) for path in paths]
    except OSError:
        return None
    files = [(name, status.st_size, status.st_mtime_ns) for name, status in seen]
    # Names, since one file may hold the labels of many samples.
    seen_as = [dataset.classes, dataset.names, label_rules(dataset), files]
    key = sha256(json.dumps(seen_as).encode())
    return user_data_folder() / "frequencies" / f"{key}.json"


def _kept(place: Path, classes: int) -> Frequencies | None:
    """The counts in a cache file; None if it is missing or damaged."""
    try:
        counts = json.loads(read_text(place))
        found = Frequencies(*(tuple(map(int, counts[name])) for name in FIELDS))
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return found if {len(getattr(found, name)) for name in FIELDS} == {classes} else None


def _keep(place: Path, counted: Frequencies) -> None:
    """Write the cache file; a failure is ignored, since the labels can be counted again."""
    try:
        write_file(place, json.dumps(asdict(counted)) + "\n")
    except FileError:
        return


FIELDS = tuple(Frequencies.__dataclass_fields__)
