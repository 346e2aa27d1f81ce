"""The datasets that have a name. Add one as a file and a line in the table below."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gridgen.arguments import PathLike, checked
from gridgen.data.cityscapes import Cityscapes, is_cityscapes
from gridgen.data.dataset import Dataset
from gridgen.data.denoising import Denoising
from gridgen.data.folder import Folder, read_settings
from gridgen.data.nuclei import Nuclei
from gridgen.data.shapes import Shapes
from gridgen.errors import DataError, unknown
from gridgen.files import is_file, is_folder
from gridgen.images.scale import FILE_SCALE, PixelScale


@dataclass(frozen=True)
class DatasetEntry:
    """A line of `gridgen list datasets`."""

    description: str
    load: Callable[[str, str], Dataset]
    """Takes the name or path that the user gave, and the split."""
    recipe: str
    """Name of the training recipe that suits the dataset."""
    fitted: bool = False
    """True if that recipe is fitted to number and size of the images, which may be any."""
    takes_path: bool = False
    """True if `NAME:PATH` is this dataset, made from the images of a folder."""


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
    "denoising": DatasetEntry(
        description="the micrograph with noise to take away; or denoising:PATH, {split}/images",
        load=lambda name, split: Denoising(split, name.partition(":")[2] or None),
        recipe="denoising",
        takes_path=True,
    ),
    "cityscapes": DatasetEntry(
        description="cityscapes:PATH, street scenes of 19 classes; PATH/leftImg8bit, PATH/gtFine",
        load=lambda name, split: Cityscapes(_path(name), split),
        recipe="paper",
        takes_path=True,
    ),
    "folder": DatasetEntry(
        description="PATH: any directory with {split}/images, {split}/labels, classes.txt",
        load=Folder,
        recipe="modern",
        fitted=True,
    ),
}


def find_dataset(name: str) -> DatasetEntry:
    """The entry of a dataset's name, of `NAME:PATH`, or of a folder's path.

    A name takes precedence over a folder of the same name, which is then `./nuclei`. Errors:
    `DataError` for a name that is neither.
    """
    if _split(name)[0] in DATASETS:
        return DATASETS[_split(name)[0]]
    if is_cityscapes(Path(name)):
        raise DataError(f"{name}: laid out as Cityscapes is; write cityscapes:{name}")
    if is_folder(name):
        return DATASETS["folder"]
    if is_file(name):
        raise DataError(f"{name}: a file; a dataset is a folder")
    if len(Path(name).parts) > 1 and name.partition(":")[0] not in DATASETS:
        raise DataError(f"{name}: no such folder")
    named = [known for known in DATASETS if known != "folder"]
    raise DataError(unknown("dataset or folder", name, named))


@checked
def load_dataset(name: PathLike, split: str = "train") -> Dataset:
    """Load one split of the dataset that `name`, or the folder at the path `name`, stands for.

    Splits are `train` and `val`; a folder may hold others. Errors: `DataError`.
    """
    return find_dataset(str(name)).load(str(name), split)


def lasting_name(name: str) -> str:
    """`name` with its path made absolute, so that it means the same in every directory."""
    known, path = _split(name)
    if not path:
        return name
    return f"{known}:{Path(path).resolve()}" if known else str(Path(path).resolve())


def folder_of(name: str) -> Path | None:
    """The folder that the dataset `name` reads, if any."""
    _, path = _split(name)
    return Path(path) if path else None


def scale_of(name: str) -> PixelScale:
    """The scale of the images in the folder that `name` reads, from its `dataset.yaml`.

    Other images must be read by the same scale. Errors: `SpecError` in that file.
    """
    folder = folder_of(name)
    return read_settings(folder).scale if folder else FILE_SCALE


def _path(name: str) -> str:
    """The folder of `NAME:PATH`, which must be given."""
    known, path = _split(name)
    if not path:
        raise DataError(f"{known}: no folder; write {known}:PATH")
    return path


def _split(name: str) -> tuple[str, str]:
    """A dataset's name and a folder's path, either of which may be empty."""
    known, _, path = name.partition(":")
    if name in DATASETS:
        return name, ""
    takes = known in DATASETS and DATASETS[known].takes_path
    return (known, path) if takes and path else ("", name)
