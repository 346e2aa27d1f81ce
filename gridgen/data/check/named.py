"""A dataset that has a name, read on past its faults."""

from collections.abc import Iterator

from gridgen.data.check.split import Split
from gridgen.data.dataset import Dataset
from gridgen.data.datasets import find_dataset, folder_of, load_dataset
from gridgen.data.frequencies import Counts
from gridgen.errors import DataError

SPLITS = ("train", "val")


class NamedReading:
    """The samples of train and val, and what they come to.

    A split that cannot be opened is a fault. Errors: `DataError` where there is no such dataset,
    or no folder that it could read.
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
                _read(split, dataset, index)
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


def _read(split: Split, dataset: Dataset, index: int) -> None:
    try:
        sample = dataset[index]
    except DataError as error:
        split.fault("unreadable", error)
        return
    split.add_image(sample.name, sample.image, None)
    if dataset.classes:
        split.add_label(sample.label)
