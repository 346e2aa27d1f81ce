"""The datasets that have a name. Add one as a file and a line in the table below."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gridgen.data.dataset import Dataset
from gridgen.data.folder import Folder
from gridgen.data.nuclei import Nuclei
from gridgen.data.shapes import Shapes
from gridgen.errors import DataError, unknown


@dataclass(frozen=True)
class DatasetEntry:
    """A line of `gridgen list datasets`."""

    description: str
    load: Callable[[str, str], Dataset]
    """The dataset of (the name or path that the user gave, split)."""
    recipe: str
    """Name of the training recipe that suits it."""


DATASETS: dict[str, DatasetEntry] = {
    "nuclei": DatasetEntry(
        description="one micrograph of 125 nuclei: background, interior, border",
        load=lambda name, split: Nuclei(split),
        recipe="demo",
    ),
    "shapes": DatasetEntry(
        description="drawn figures, larger or smaller than a key in a far corner; without end",
        load=lambda name, split: Shapes(split),
        recipe="shapes",
    ),
    "folder": DatasetEntry(
        description="PATH: any directory with {split}/images, {split}/labels, classes.txt",
        load=Folder,
        recipe="paper",
    ),
}


def find_dataset(name: str) -> DatasetEntry:
    """The entry of a dataset's name, or of a folder's path.

    A name goes before a folder that is called the same; `./nuclei` is the folder. Errors:
    `DataError` for what is neither.
    """
    if name in DATASETS:
        return DATASETS[name]
    if Path(name).is_dir():
        return DATASETS["folder"]
    raise DataError(f"{unknown('dataset', name, DATASETS)}; the path of a folder works too")


def load_dataset(name: str, split: str = "train") -> Dataset:
    """One split of the dataset that `name` or the folder path `name` stands for.

    Splits are `train` and `val`, and in a folder whatever it holds. Errors: `DataError`.
    """
    return find_dataset(name).load(name, split)
