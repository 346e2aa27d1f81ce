"""A recipe's augmentation, computed on the device that trains. Needs kornia where it is asked."""

from collections.abc import Callable

from torch import Tensor

from gridgen.training.recipe import Recipe

Distort = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def unchanged(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The batch as it is."""
    return images, labels


def distortion(recipe: Recipe, rank: int = 0, world: int = 1) -> Distort:
    """What changes a batch (N, C, H, W) in [0, 1] and its labels; `rank` of `world` its share.

    Errors: `UsageError` where kornia is missing.
    """
    return unchanged
