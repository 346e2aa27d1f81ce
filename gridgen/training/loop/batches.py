"""Training batches as a function of the step number alone, so that a resumed run sees the same.

The order of an epoch comes from (seed, epoch), the crop and flip of an image from (seed, step,
slot in the batch); no generator's state has to be saved.
"""

import math
from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from gridgen.data import Dataset
from gridgen.data.dataset import part_of, require_ids
from gridgen.images import Window
from gridgen.training.processes.prefetch import prefetch
from gridgen.training.recipe import Crop, Recipe

ORDER, CROP, STEP, SUBNETWORKS = 1, 2, 3, 4
TrainingBatch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Batches:
    """Item `step` is the batch of that step: images (N, C, S, S) and labels (N, S, S), or
    (N, C, S, S) where they are images. Class ids are uint8, an eighth to carry to the device.

    Of several processes, `rank` of `world` gets every world-th image of the batch.
    Errors: `DataError` for an image that cannot be read, and a label that is no class.
    """

    dataset: Dataset
    recipe: Recipe
    seed: int
    rank: int = 0
    world: int = 1

    @property
    def per_epoch(self) -> int:
        """Steps in an epoch; the last batch is filled from the next order."""
        return math.ceil(len(self.dataset) / self.recipe.batch)

    def __len__(self) -> int:
        return self.per_epoch * self.recipe.epochs

    def __getitem__(self, step: int) -> TrainingBatch:
        slots = range(self.rank, self.recipe.batch, self.world)
        crops = zip(*(self._cropped(step, slot) for slot in slots), strict=True)
        images, labels = map(torch.stack, crops)
        return images, labels if labels.is_floating_point() else labels.byte()

    def loader(
        self, first: int, device: torch.device, workers: int
    ) -> Generator[TrainingBatch, None, None]:
        """Batches from step `first` to the last, loaded by `workers` processes.

        Errors: `DataError` for an image that cannot be read; `TrainingError` where a process that
        loads images has ended.
        """
        for images, labels in prefetch(self.__getitem__, range(first, len(self)), workers):
            if device.type == "cuda":  # then the copy to the GPU waits for nothing
                yield images.pin_memory(), labels.pin_memory()
            else:
                yield images, labels

    def _cropped(self, step: int, slot: int) -> TrainingBatch:
        rng = np.random.default_rng((self.seed, CROP, step, slot))
        index = self._index(step, slot)
        return random_crop(self.dataset, index, self.recipe.crop, self.recipe.flip, rng)

    def _index(self, step: int, slot: int) -> int:
        epoch, place = divmod(step, self.per_epoch)
        position = place * self.recipe.batch + slot
        turn, position = divmod(position, len(self.dataset))
        return int(_order(self.seed, epoch, turn, len(self.dataset))[position])


@lru_cache(maxsize=2)  # an epoch's own order, and the one that fills its last batch
def _order(seed: int, epoch: int, turn: int, images: int) -> npt.NDArray[np.int64]:
    """The indices of the images, shuffled."""
    return np.random.default_rng((seed, ORDER, epoch, turn)).permutation(images)


def step_seed(seed: int, step: int) -> int:
    """The seed of all that torch draws in a step, total dropout above all."""
    return drawn_seed(seed, STEP, step)


def drawn_seed(seed: int, *numbers: int) -> int:
    """A seed of its own for each combination of numbers."""
    return int(np.random.SeedSequence((seed, *numbers)).generate_state(1, np.uint64)[0] >> 1)


def random_crop(
    dataset: Dataset, index: int, crop: Crop, flip: bool, rng: np.random.Generator
) -> TrainingBatch:
    """A square of random side and place, resized, mirrored half of the time (section 4).

    The side is drawn from smallest..largest, at most the image's shorter side. Image bilinear
    (antialiased), label nearest; (C, H, W) and (H, W) -> (C, S, S) and (S, S). A label that is an
    image, (C, H, W), is never resized: `require_splits` sees to that. Errors: `DataError` for a
    label that is no class.
    """
    sample = part_of(dataset, index, _window(dataset.sizes[index], crop, rng))
    # Batches hold ids as bytes, where 256 + 1 would be 1, and -1 would be `IGNORE`.
    require_ids(dataset, sample.name, sample.label)
    image, label = sample.image, sample.label
    if image.shape[-1] != crop.size:
        image, label = _resized(image, label, crop.size)
    if flip and rng.random() < 0.5:
        image, label = image.flip(-1), label.flip(-1)
    return image, label


def _window(size: tuple[int, int], crop: Crop, rng: np.random.Generator) -> Window:
    height, width = size
    shorter = min(height, width)
    # The order of the draws belongs to the meaning of a seed: to change it changes every run.
    side = int(rng.integers(min(crop.smallest, shorter), min(crop.largest, shorter) + 1))
    top = int(rng.integers(0, height - side + 1))
    left = int(rng.integers(0, width - side + 1))
    return Window.square(top, left, side)


def _resized(image: Tensor, label: Tensor, side: int) -> TrainingBatch:
    assert not label.is_floating_point()
    # `nearest` is half a pixel off; `nearest-exact` matches Pillow.
    nearest = functional.interpolate(label[None, None].float(), side, mode="nearest-exact")
    # In one piece, a crop is resized a third faster.
    smooth = functional.interpolate(
        image[None].contiguous(), side, mode="bilinear", align_corners=False, antialias=True
    )
    return smooth[0], nearest[0, 0].long()
