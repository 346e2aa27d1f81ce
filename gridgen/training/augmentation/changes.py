"""The changes that augmentation makes of a batch. Add one as a function, a line in `COLOURS`, and a
field of the recipe's `Augmentation`.

Nothing here waits for a GPU: what is drawn is drawn on the CPU, from torch's own generator, which a
step seeds with its number. Colours and blur are computed by kornia, imported where it is needed.
"""

from collections.abc import Callable
from math import pi
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from gridgen.data import IGNORE

WIDTHS = (0.1, 2.0)
"""Standard deviations of a Gaussian blur, in pixels (Chen et al., ICML 2020)."""
# Taps of its filter: three standard deviations to each side of the middle.
TAPS = 13


class Share(NamedTuple):
    """A process's images of a batch: those in the slots rank, rank + world, and so on.

    Numbers are drawn for the whole batch, so that the number of processes changes nothing.
    """

    batch: int
    rank: int = 0
    world: int = 1

    def uniform(self, low: float, high: float) -> Tensor:
        """A number for each image of the share, on the CPU."""
        return torch.empty(self.batch).uniform_(low, high)[self.rank :: self.world]

    def seeds(self) -> list[int]:
        """The seed of a generator for each image of the share."""
        return torch.randint(2**62, (self.batch,))[self.rank :: self.world].tolist()


def rotated(images: Tensor, labels: Tensor, most: float, share: Share) -> tuple[Tensor, Tensor]:
    """Squares turned about their middle by up to `most` degrees, either way.

    Image bilinear, mirrored at its edges; label nearest, `IGNORE` where the image was mirrored.
    """
    angles = _on(images, share.uniform(-most, most).deg2rad())
    cos, sin, none = angles.cos(), angles.sin(), torch.zeros_like(angles)
    turns = torch.stack([cos, -sin, none, sin, cos, none], 1).view(-1, 2, 3)
    # Image and label are read at the same places.
    places = functional.affine_grid(turns, list(images.shape), align_corners=False)
    turned = functional.grid_sample(
        images, places, "bilinear", padding_mode="reflection", align_corners=False
    )
    # What lies outside is read as 0, which is no label once all are raised by 1.
    raised = functional.grid_sample(
        labels[:, None].float() + 1, places, "nearest", padding_mode="zeros", align_corners=False
    )
    ids = raised[:, 0].long() - 1
    return turned, torch.where(ids < 0, IGNORE, ids)


def brightened(images: Tensor, most: float, share: Share) -> Tensor:
    """Values times a factor."""
    from kornia.enhance import adjust_brightness_accumulative

    return adjust_brightness_accumulative(images, _factors(images, most, share))


def contrasted(images: Tensor, most: float, share: Share) -> Tensor:
    """Distances from the image's mean grey times a factor."""
    from kornia.enhance import adjust_contrast_with_mean_subtraction

    return adjust_contrast_with_mean_subtraction(images, _factors(images, most, share))


def saturated(images: Tensor, most: float, share: Share) -> Tensor:
    """Distances from each pixel's grey times a factor."""
    from kornia.enhance import adjust_saturation_with_gray_subtraction

    return adjust_saturation_with_gray_subtraction(images, _factors(images, most, share))


def tinted(images: Tensor, most: float, share: Share) -> Tensor:
    """Hues turned; 1 is once around."""
    from kornia.enhance import adjust_hue

    return adjust_hue(images, _on(images, 2 * pi * share.uniform(-most, most)))


def blurred(images: Tensor, probability: float, share: Share) -> Tensor:
    """Some of the images under a Gaussian of a width in `WIDTHS`."""
    from kornia.filters import filter2d_separable, get_gaussian_kernel1d

    draws, widths = share.uniform(0, 1).tolist(), share.uniform(*WIDTHS)
    kernels = _on(images, get_gaussian_kernel1d(TAPS, widths[:, None]))
    images = images.clone()
    for index, draw in enumerate(draws):
        if draw < probability:
            one, kernel = images[index : index + 1], kernels[index : index + 1]
            one.copy_(filter2d_separable(one, kernel, kernel, border_type="replicate"))
    return images


def noisy(images: Tensor, deviation: float, share: Share) -> Tensor:
    """Gaussian noise on every value, from a generator of each image's own."""
    noise = [
        torch.randn(
            images.shape[1:],
            generator=torch.Generator(images.device).manual_seed(seed),
            device=images.device,
        )
        for seed in share.seeds()
    ]
    return images + deviation * torch.stack(noise)


COLOURS: dict[str, Callable[[Tensor, float, Share], Tensor]] = {
    "brightness": brightened,
    "contrast": contrasted,
    "saturation": saturated,
    "hue": tinted,
    "blur": blurred,
    "noise": noisy,
}
"""Changes that leave a label as it is, in this order; noise is last, so that none smooths it."""


def _factors(images: Tensor, most: float, share: Share) -> Tensor:
    """One for each image, from 1 - most to 1 + most."""
    return _on(images, share.uniform(1 - most, 1 + most))


def _on(images: Tensor, numbers: Tensor) -> Tensor:
    return numbers.to(images.device, non_blocking=True)
