"""How often each class occurs in a split, and what it should weigh for that.

Counts of datasets on disk are kept in the user's data folder until a label file changes.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import torch

from gridgen.data.dataset import Dataset, OnDisk
from gridgen.errors import DataError, FileError
from gridgen.files import sha256, user_data_folder, write_file
from gridgen.progress import OnProgress, no_progress


@dataclass(frozen=True)
class Frequencies:
    """Pixels and images of each class."""

    pixels: tuple[int, ...]
    """Pixels of the class."""
    around: tuple[int, ...]
    """Pixels of all images that show the class, ignored ones too."""
    images: tuple[int, ...]
    """Images that show the class."""

    @property
    def shares(self) -> tuple[float, ...]:
        """The class's share of all pixels that are not ignored."""
        total = max(sum(self.pixels), 1)
        return tuple(pixels / total for pixels in self.pixels)

    @property
    def weights(self) -> tuple[float, ...]:
        """Median frequency over frequency, the latter within the images that show the class.

        Source: D. Eigen and R. Fergus, ICCV 2015, section 6.3.2, which SegNet takes over. A class
        that never occurs weighs 1 and is not in the median: no pixel asks for its weight.

        >>> Frequencies(pixels=(75, 15, 0), around=(100, 60, 0), images=(2, 1, 0)).weights
        (0.6666666666666666, 2.0, 1.0)
        """
        pairs = zip(self.pixels, self.around, strict=True)
        frequencies = [pixels / around if around else 0.0 for pixels, around in pairs]
        middle = median([frequency for frequency in frequencies if frequency] or [1.0])
        return tuple(middle / frequency if frequency else 1.0 for frequency in frequencies)


def median_frequency(dataset: Dataset, on_progress: OnProgress = no_progress) -> tuple[float, ...]:
    """The weight of each class in the loss: `Frequencies.weights` of `count_pixels`."""
    return count_pixels(dataset, on_progress).weights


def count_pixels(dataset: Dataset, on_progress: OnProgress = no_progress) -> Frequencies:
    """Pixels per class over all samples, from an earlier count where no label file has changed.

    `on_progress` is called for each label that is read. Errors: `DataError` for a dataset without
    classes, and as reading a label.
    """
    if not dataset.classes:
        raise DataError(f"{dataset.name} has no classes to count; its labels are images")
    place = _place(dataset.label_files, dataset.classes) if isinstance(dataset, OnDisk) else None
    kept = _kept(place, len(dataset.classes)) if place else None
    if kept is not None:
        return kept
    counts = Counts(len(dataset.classes))
    for number, label in enumerate(_labels(dataset), 1):
        counts.add(label)
        on_progress(number, len(dataset))
    counted = counts.frequencies()
    if place:
        _keep(place, counted)
    return counted


class Counts:
    """Counts on their way: labels (H, W) are added; ids from `classes` on are ignored."""

    def __init__(self, classes: int) -> None:
        self._sums = torch.zeros(3, classes, dtype=torch.int64)

    def add(self, label: torch.Tensor) -> None:
        """Count the pixels of one label."""
        # IGNORE is 255, the last id.
        count = torch.bincount(label.flatten(), minlength=256)[: self._sums.shape[1]]
        shown = count > 0
        self._sums += torch.stack([count, shown * label.numel(), shown])

    def frequencies(self) -> Frequencies:
        """What was counted so far."""
        return Frequencies(*map(tuple, self._sums.tolist()))


def _labels(dataset: Dataset) -> Iterator[torch.Tensor]:
    for index in range(len(dataset)):
        yield dataset.label(index) if isinstance(dataset, OnDisk) else dataset[index].label


def _place(paths: Sequence[Path], classes: Sequence[str]) -> Path | None:
    """Where counts of these files belong; None where one of them cannot be looked at."""
    try:
        seen = [(str(path.resolve()), path.stat()) for path in paths]
    except OSError:
        return None
    files = [(name, status.st_size, status.st_mtime_ns) for name, status in seen]
    key = sha256(json.dumps([classes, files]).encode())
    return user_data_folder() / "frequencies" / f"{key}.json"


def _kept(place: Path, classes: int) -> Frequencies | None:
    """The counts in a file; None where it is missing or damaged."""
    try:
        counts = json.loads(place.read_text("utf-8"))
        found = Frequencies(*(tuple(map(int, counts[name])) for name in FIELDS))
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return found if {len(getattr(found, name)) for name in FIELDS} == {classes} else None


def _keep(place: Path, counted: Frequencies) -> None:
    """Write the counts, if that is possible: they can be made again."""
    try:
        write_file(place, json.dumps(asdict(counted)) + "\n")
    except FileError:
        return


FIELDS = tuple(Frequencies.__dataclass_fields__)
