"""Images with added noise; the labels are the clean images."""

from pathlib import Path
from zlib import crc32

import numpy as np
import torch

from gridgen.arguments import PathLike
from gridgen.data.dataset import Colour, Dataset, Sample, require_split
from gridgen.data.folder.dataset import check_images, common_channels, pixels_in
from gridgen.data.folder.layout import Layout, no_images, short_names
from gridgen.data.nuclei import Nuclei
from gridgen.errors import DataError

SIGMA = 25 / 255


class Denoising:
    """The images of one split of another dataset, with Gaussian noise added and clamped to [0, 1].

    They come from `{split}/images/` in `folder`, which needs no labels, or from the nuclei
    micrograph if no folder is given. The noise has a standard deviation of `SIGMA` and is the same
    each time an image is read: it depends on the split and the name alone. Errors: the `DataError`
    of the dataset that it reads.
    """

    task = "restoration"
    classes: tuple[str, ...] = ()
    colours: tuple[Colour, ...] = ()

    def __init__(self, split: str = "train", folder: PathLike | None = None) -> None:
        self._clean: Dataset | Pictures
        if folder is None:
            require_split("denoising", split, ("train", "val"))
            self._clean, self.name = Nuclei(split), "denoising"
        else:
            self._clean = Pictures(folder, split)
            self.name = f"denoising:{Path(folder).resolve().name}"
        self._split = split
        self.channels = self._clean.channels
        self.names, self.sizes = self._clean.names, self._clean.sizes

    def __len__(self) -> int:
        return len(self._clean)

    def __getitem__(self, index: int) -> Sample:
        clean = self._clean[index]
        return Sample(clean.name, noisy(clean.image, f"{self._split}/{clean.name}"), clean.image)


class Pictures:
    """The images of a split of a folder, sorted by name; each is its own label.

    Channels and scale follow the rules of `Folder`. Errors: `DataError` that names directory or
    file.
    """

    def __init__(self, root: PathLike, split: str) -> None:
        layout = Layout.of(Path(root))
        layout.require(split)
        images = layout.images(split)
        if not images:
            raise DataError(no_images(layout.place(split, layout.settings.images)))
        shown = short_names(images)
        self.names = tuple(sorted(shown))
        self._images = [images[shown[name]] for name in self.names]
        self._scale = layout.settings.scale
        self.sizes = tuple(check_images(files).size for files in self._images)
        self.channels = common_channels(layout, split, layout.splits.keys() - {split})

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Sample:
        image = pixels_in(self._images[index], self.channels, self._scale).levels
        return Sample(self.names[index], image, image)


def noisy(image: torch.Tensor, name: str) -> torch.Tensor:
    """`image` with the noise that belongs to `name`, clamped to [0, 1]."""
    # Python salts hash() of a string anew in every process; crc32 stays the same.
    # Names of files that are no UTF-8 have halves of surrogate pairs.
    rng = np.random.default_rng(crc32(name.encode(errors="surrogatepass")))
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    return (image + SIGMA * torch.from_numpy(noise)).clamp(0, 1)
