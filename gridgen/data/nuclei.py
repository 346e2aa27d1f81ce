"""Nuclei of one fluorescence micrograph, which comes with the Python package stardist."""

from importlib.util import find_spec
from pathlib import Path

import torch
from torch.nn.functional import max_pool2d

from gridgen.data.dataset import Sample, require_split
from gridgen.errors import DataError
from gridgen.images import read_image, read_label

BACKGROUND, INTERIOR, BORDER = range(3)
SIDE = 128
# Rows of the image and stride of the windows. No row is in both splits.
SPLITS = {"train": (range(384), 64), "val": (range(384, 512), 128)}


class Nuclei:
    """Windows of 128x128 pixels on one image of 512x512 with 125 nuclei (DSB 2018, BBBC038).

    train: 35 windows that overlap by half, on rows 0..383. val: 4 side by side, on rows
    384..511. The grey levels are stretched by percentiles of the whole file (`read_image`), so
    that prediction on the file sees the same levels as training; no label is used for that.

    Source: J. Caicedo et al., Nature Methods 16, 2019; the annotated image is in the package
    stardist (U. Schmidt et al., MICCAI 2018), which need not be importable. Errors: `DataError`
    if it is not installed.
    """

    name = "nuclei"
    task = "segmentation"
    classes = ("background", "interior", "border")
    colours = ((24, 24, 40), (60, 150, 220), (250, 200, 60))
    channels = 1

    def __init__(self, split: str = "train") -> None:
        require_split(self.name, split, SPLITS)
        folder = _image_folder()
        self._image = read_image(folder / "img2d.tif", self.channels)
        self._label = border_classes(read_label(folder / "mask2d.tif"))
        rows, stride = SPLITS[split]
        self._corners = [
            (top, left)
            for top in range(rows.start, rows.stop - SIDE + 1, stride)
            for left in range(0, self._label.shape[1] - SIDE + 1, stride)
        ]
        self.names = tuple(f"rows{top}-columns{left}" for top, left in self._corners)
        self.sizes = ((SIDE, SIDE),) * len(self._corners)

    def __len__(self) -> int:
        return len(self._corners)

    def __getitem__(self, index: int) -> Sample:
        top, left = self._corners[index]
        window = (..., slice(top, top + SIDE), slice(left, left + SIDE))
        return Sample(
            name=self.names[index],
            image=self._image[window].clone(),
            label=self._label[window].clone(),
        )


def border_classes(instances: torch.Tensor) -> torch.Tensor:
    """The class of each pixel (background, interior, border), (H, W) int64, from instance ids.

    Id 0 is background. A border pixel belongs to an instance and has another id, or 0, at most 2
    pixels away (8-neighbourhood, so within the 5x5 window). The image's edge makes no border.
    """
    ids = instances.float()[None]
    highest = max_pool2d(ids, kernel_size=5, stride=1, padding=2)
    lowest = -max_pool2d(-ids, kernel_size=5, stride=1, padding=2)
    classes = torch.where(highest == lowest, INTERIOR, BORDER)
    return classes.where(ids > 0, BACKGROUND)[0]


def _image_folder() -> Path:
    """The folder with the images of stardist."""
    # Importing stardist needs TensorFlow; find_spec only locates the package.
    spec = find_spec("stardist")
    for place in (spec and spec.submodule_search_locations) or ():
        folder = Path(place, "data", "images")
        if (folder / "img2d.tif").is_file() and (folder / "mask2d.tif").is_file():
            return folder
    raise DataError(
        "nuclei: the image comes with the package stardist; pip install --no-deps stardist==0.9.2"
    )
