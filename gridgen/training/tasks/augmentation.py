"""A recipe's augmentation of a batch, on the device that trains. Crops and flips are in `batches`.

Add a change as a function, a line in `COLOURS`, and a field of the recipe's `Augmentation`.

Nothing here waits for a GPU: random numbers are drawn on the CPU, from torch's own generator, which
a step seeds with its number. Colours and blur are computed by kornia, imported where it is needed.
"""

from collections.abc import Callable
from math import pi
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from gridgen.data import IGNORE
from gridgen.errors import UsageError
from gridgen.training.recipe import Recipe

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
        """Draw a number for each image of the share, on the CPU."""
        return torch.empty(self.batch).uniform_(low, high)[self.rank :: self.world]

    def seeds(self) -> list[int]:
        """Draw the seed of a generator for each image of the share."""
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
    """Draw a factor for each image, from 1 - most to 1 + most."""
    return _on(images, share.uniform(1 - most, 1 + most))


def _on(images: Tensor, numbers: Tensor) -> Tensor:
    return numbers.to(images.device, non_blocking=True)


Augment = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

CHANNELS = {"brightness": (1, 3), "contrast": (1, 3), "saturation": (3,), "hue": (3,)}
"""Numbers of channels in which a change of colours means something; others take any."""
KORNIA = (*CHANNELS, "blur")
"""The changes that kornia computes."""


def augmentation(recipe: Recipe, rank: int = 0, world: int = 1) -> Augment:
    """Make the function that changes images (N, C, S, S) in [0, 1] together with their labels.

    N is the share of `rank` of `world` in a batch of the recipe. Errors: `UsageError` where kornia
    is missing.
    """
    asked = amounts(recipe)
    share = Share(recipe.batch, rank, world)
    if not asked:
        return lambda images, labels: (images, labels)
    require_kornia(recipe)

    def augmented(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        layout = _layout(images)
        if "rotation" in asked:
            images, labels = rotated(images, labels, asked["rotation"], share)
        for name, change in COLOURS.items():
            if name in asked:
                images = change(images, asked[name], share)
        return images.clamp(0, 1).contiguous(memory_format=layout), labels

    return augmented


def unsuited(recipe: Recipe, channels: int) -> list[str]:
    """The recipe's changes that mean nothing in images of so many channels, by name.

    >>> from gridgen.training.recipe import load_recipe
    >>> unsuited(load_recipe("modern"), 1), unsuited(load_recipe("modern"), 3)
    (['saturation', 'hue'], [])
    """
    asked = amounts(recipe)
    return [name for name, known in CHANNELS.items() if name in asked and channels not in known]


def amounts(recipe: Recipe) -> dict[str, float]:
    """Amounts of the changes that a recipe asks for, by name."""
    asked = recipe.augmentation
    return {} if asked is None else {name: value for name, value in asked if value > 0}


def require_kornia(recipe: Recipe) -> None:
    """Check that kornia is installed where the recipe's changes need it. Errors: `UsageError`."""
    first = next((name for name in KORNIA if name in amounts(recipe)), None)
    if first is None:
        return
    try:
        import kornia.enhance  # noqa: F401 - a second, which others need not spend
    except ImportError as error:
        fact = f"augmentation.{first} of the recipe needs kornia, which is not installed"
        raise UsageError(f"{fact}; pip install 'gridgen[augment]'") from error


def _layout(images: Tensor) -> torch.memory_format:
    last = torch.channels_last
    return last if images.is_contiguous(memory_format=last) else torch.contiguous_format
