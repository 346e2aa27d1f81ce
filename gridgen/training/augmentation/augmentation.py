"""A recipe's augmentation: which changes are made of a batch, on the device that trains.

Crops and flips are not here: see `batches`.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from gridgen.data import Dataset
from gridgen.data.images import channel_text
from gridgen.errors import SpecError, UsageError
from gridgen.training.augmentation.changes import COLOURS, Share, rotated
from gridgen.training.recipe import Recipe

Augment = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

CHANNELS = {"brightness": (1, 3), "contrast": (1, 3), "saturation": (3,), "hue": (3,)}
"""Numbers of channels in which a change of colours means something; others take any."""
KORNIA = (*CHANNELS, "blur")
"""The changes that kornia computes."""


def augmentation(recipe: Recipe, rank: int = 0, world: int = 1) -> Augment:
    """What changes images (N, C, S, S) in [0, 1] and their labels, which stay aligned.

    N is the share of `rank` of `world` in a batch of the recipe. Errors: `UsageError` where kornia
    is missing.
    """
    amounts = _amounts(recipe)
    share = Share(recipe.batch, rank, world)
    if not amounts:
        return unchanged
    _require_kornia(amounts)

    def augmented(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        layout = _layout(images)
        if "rotation" in amounts:
            images, labels = rotated(images, labels, amounts["rotation"], share)
        for name, change in COLOURS.items():
            if name in amounts:
                images = change(images, amounts[name], share)
        return images.clamp(0, 1).contiguous(memory_format=layout), labels

    return augmented


def require_augmentation(recipe: Recipe, dataset: Dataset) -> None:
    """The recipe changes images in ways that suit `dataset`, and kornia is there if it is needed.

    Errors: `SpecError` at the field, `UsageError`.
    """
    amounts = _amounts(recipe)
    name, channels = dataset.name, dataset.channels
    if amounts and not dataset.classes:
        fact = f"{name} has images for labels, which this would change; set augmentation: null"
        raise recipe.blame(SpecError(fact, ("augmentation",)))
    for field, wanted in CHANNELS.items():
        if field in amounts and channels not in wanted:
            known = " or ".join(map(str, wanted))
            fact = f"{name} has {channel_text(channels)}, but this needs {known}; set {field}: 0"
            raise recipe.blame(SpecError(fact, ("augmentation", field)))
    _require_kornia(amounts)


def unchanged(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The batch as it is."""
    return images, labels


def _amounts(recipe: Recipe) -> dict[str, float]:
    """The fields that change anything."""
    asked = recipe.augmentation
    return {} if asked is None else {name: value for name, value in asked if value > 0}


def _require_kornia(amounts: dict[str, float]) -> None:
    first = next((name for name in KORNIA if name in amounts), None)
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
