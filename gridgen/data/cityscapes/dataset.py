"""Cityscapes as a dataset: street scenes, 19 classes, and which car is which."""

from functools import partial
from pathlib import Path

import torch

from gridgen.data.cityscapes.files import scenes
from gridgen.data.cityscapes.labels import INSTANCES, TRAIN_IDS, TRAINED, UNKNOWN, Ids
from gridgen.data.dataset import Sample, Window
from gridgen.data.images import read_ids, read_image
from gridgen.errors import DataError


class Cityscapes:
    """One split of a folder that holds what the two archives unpack to.

    `leftImg8bit/{split}/{city}/NAME_leftImg8bit.png` goes with `gtFine/{split}/{city}/
    NAME_gtFine_labelIds.png` and `NAME_gtFine_instanceIds.png`. A label holds train ids 0..18, and
    `IGNORE` for all else; instances have the numbers of their file. Opening a split pairs the files
    and compares the sizes in their headers; pixels are read when a sample is asked for.

    Errors: `DataError` that names file and fix: what is missing, has no partner or another size
    when the split is opened; what is damaged or holds an id that is none when it is read.
    """

    name = "cityscapes"
    classes = tuple(label.name for label in TRAINED)
    colours = tuple(label.colour for label in TRAINED)
    channels = 3

    def __init__(self, root: str | Path, split: str = "train") -> None:
        self._scenes = scenes(Path(root), split)
        self.names = tuple(scene.name for scene in self._scenes)
        self.sizes = tuple(scene.size() for scene in self._scenes)

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, index: int) -> Sample:
        scene = self._scenes[index]
        return Sample(
            name=scene.name,
            image=read_image(scene.image, self.channels),
            label=self.label(index),
            instances=partial(_read, scene.instances, INSTANCES, "instance number"),
        )

    def window(self, index: int, window: Window) -> Sample:
        """That part of a sample, of which no more than it is converted."""
        scene = self._scenes[index]
        return Sample(
            name=scene.name,
            image=read_image(scene.image, self.channels, window=window),
            label=_read(scene.label, TRAIN_IDS, "label id", window),
        )

    @property
    def label_files(self) -> tuple[Path, ...]:
        """The file of each label."""
        return tuple(scene.label for scene in self._scenes)

    def label(self, index: int) -> torch.Tensor:
        """The label of a sample, whose image is not read."""
        return _read(self._scenes[index].label, TRAIN_IDS, "label id")


def _read(path: Path, table: Ids, what: str, window: Window | None = None) -> torch.Tensor:
    """(H, W): what the table has for each pixel of the file, or for those in `window`."""
    ids = read_ids(path, window)
    inside = ids.max(initial=0) < len(table)
    if not inside or (found := table[ids]).min(initial=0) == UNKNOWN:
        wrong = ids[found == UNKNOWN].flat[0] if inside else ids.max()
        fact = f"a pixel of {wrong}, which is no {what} of Cityscapes"
        raise DataError(f"{path}: {fact}; unpack its archive again")
    return torch.from_numpy(found)
