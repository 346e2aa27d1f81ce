"""Finds images that show nearly the same, by comparing the details of small grey versions."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, pad

SIDE = 32
SMOOTH = 9
"""Side of the window whose mean is subtracted: sky above and road below look alike everywhere."""
SHIFT = 3
"""How far, in pixels of the small picture, one image may be displaced against the other."""
ALIKE = 0.6
"""Likeness from which two images are taken to show the same place. In CamVid, frames of one drive
a second apart reach 0.53 to 0.70 and frames of different drives 0.58 at most.
"""
BLANK = 1e-3
"""Norm below which a small picture is nothing but rounding."""
VALUES = 2**23
"""Pairs that are compared at a time."""


class Twins(NamedTuple):
    """Two images, by their places in two lists, and how alike they are; 1 is the same."""

    one: int
    other: int
    likeness: float


def details(image: Tensor) -> Tensor:
    """(channels, H, W) to 32x32: a small grey picture minus the local mean."""
    grey = adaptive_avg_pool2d(image.mean(0, keepdim=True), SIDE)[None]
    border = SMOOTH // 2
    return (grey - avg_pool2d(pad(grey, (border,) * 4, mode="replicate"), SMOOTH, 1))[0, 0]


def nearest(ones: Sequence[Tensor], others: Sequence[Tensor]) -> list[Twins]:
    """Find for each of `ones` the most similar of `others`; the most similar pair comes first.

    Likeness is the correlation of their details, at the displacement where it is greatest, so
    neither brightness nor contrast changes it.
    """
    if not (ones and others):
        return []
    all_others = torch.stack(list(others))
    rows = max(VALUES // len(others), 1)
    parts = (torch.stack(list(ones[at : at + rows])) for at in range(0, len(ones), rows))
    found = [_best(part, all_others) for part in parts]
    likeness, place = (torch.cat(values).tolist() for values in zip(*found, strict=True))
    pairs = map(Twins, range(len(ones)), place, likeness)
    return sorted(pairs, key=lambda twins: -twins.likeness)


def _best(ones: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """The greatest likeness of each of `ones`, (N,), and the index of that one in `others`."""
    middle, lengths = _vectors(ones, SHIFT, SHIFT)
    # Their mean is 0, so that the others need not have theirs taken away.
    middle = (middle - middle.mean(1, keepdim=True)) * lengths[:, None]
    greatest = torch.full((len(ones), len(others)), -1.0)
    for top in range(2 * SHIFT + 1):
        for left in range(2 * SHIFT + 1):
            vectors, lengths = _vectors(others, top, left)
            torch.maximum(greatest, (middle @ vectors.T).mul_(lengths), out=greatest)
    likeness, place = greatest.max(dim=1)
    return likeness, place


def _vectors(details: Tensor, top: int, left: int) -> tuple[Tensor, Tensor]:
    """A window, (N, pixels), and for each picture 1 / its norm less its mean; 0 for a blank one."""
    side = SIDE - 2 * SHIFT
    window = details[:, top : top + side, left : left + side].flatten(1)
    squares = torch.einsum("np,np->n", window, window) - window.mean(1).square() * window.shape[1]
    length = squares.clamp(min=0).sqrt()
    return window, torch.where(length > BLANK, 1 / length.clamp(min=BLANK), 0.0)
