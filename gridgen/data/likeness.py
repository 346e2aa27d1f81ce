"""Images that show nearly the same, found by small grey pictures of them."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

SIDE = 32


class Twins(NamedTuple):
    """Two images, by their places in two lists, and how alike they are; 1 is the same."""

    one: int
    other: int
    likeness: float


def thumbnail(image: Tensor) -> Tensor:
    """(channels, H, W) to a grey picture of 32x32 pixels, whose mean is 0 and whose length 1.

    The product of two is their correlation, which no change of brightness or contrast alters. Of
    a blank image it is 0 throughout.
    """
    grey = adaptive_avg_pool2d(image.mean(0, keepdim=True), SIDE).flatten()
    centred = grey - grey.mean()
    length = centred.norm()
    return centred / length if length > BLANK else torch.zeros_like(centred)


BLANK = 1e-4
"""Length of a thumbnail that shows nothing but rounding."""


def nearest(ones: Sequence[Tensor], others: Sequence[Tensor]) -> list[Twins]:
    """For each thumbnail of `ones` the most like it of `others`, the most alike pairs first."""
    if not (ones and others):
        return []
    likeness, place = (torch.stack(list(ones)) @ torch.stack(list(others)).T).max(dim=1)
    pairs = zip(range(len(ones)), place.tolist(), likeness.tolist(), strict=True)
    return sorted((Twins(*pair) for pair in pairs), key=lambda twins: -twins.likeness)
