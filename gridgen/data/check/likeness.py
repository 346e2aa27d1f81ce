"""Finds images that show nearly the same, by comparing the details of small grey versions."""

from collections.abc import Sequence
from itertools import product
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
LEFT, DIMENSIONS = 0.005, 256
"""Of the squares of all details, what the few dimensions may leave out in which pairs are compared
first; and how many dimensions they are at most.
"""
ROUNDING = 1e-4
DISPLACEMENTS = tuple(product(range(2 * SHIFT + 1), repeat=2))
"""Upper left corners of the windows of a small picture."""


class Twins(NamedTuple):
    """Two images, by their places in two lists, and how alike they are; 1 is the same."""

    one: int
    other: int
    likeness: float


def small_grey(image: Tensor) -> Tensor:
    """(channels, H, W) to 32x32."""
    return adaptive_avg_pool2d(image.mean(0, keepdim=True), SIDE)[0]


def _details(pictures: Sequence[Tensor]) -> Tensor:
    """(N, 32, 32): small grey pictures minus the local mean."""
    grey, border = torch.stack(list(pictures))[:, None], SMOOTH // 2
    # Along one side after the other: nine times nine numbers have the mean of nine means.
    along = avg_pool2d(pad(grey, (border,) * 4, mode="replicate"), (SMOOTH, 1), 1)
    return (grey - avg_pool2d(along, (1, SMOOTH), 1))[:, 0]


def nearest(ones: Sequence[Tensor], others: Sequence[Tensor], least: float = -1) -> list[Twins]:
    """Find for each of `ones` the most similar of `others`; the most similar pair comes first.

    Both are small grey pictures.

    Likeness is the correlation of their details, at the displacement where it is greatest, so
    neither brightness nor contrast changes it. Pairs that are less alike than `least` are left out,
    which is much quicker.
    """
    if not (ones and others):
        return []
    all_others = _details(others)
    rows = max(VALUES // len(others), 1)
    found: list[Twins] = []
    for at in range(0, len(ones), rows):
        part = _details(ones[at : at + rows])
        possible = _bounds(part, all_others) >= least - ROUNDING
        one, other = (possible.any(dim=axis).nonzero()[:, 0] for axis in (1, 0))
        if len(one):
            likeness, place = _best(part[one], all_others[other])
            found += map(Twins, (one + at).tolist(), other[place].tolist(), likeness.tolist())
    kept = [twins for twins in found if twins.likeness >= least]
    return sorted(kept, key=lambda twins: -twins.likeness)


def _best(ones: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """The greatest likeness of each of `ones`, (N,), and the index of that one in `others`."""
    middle = _middle(ones)
    greatest = torch.full((len(ones), len(others)), -1.0)
    for top, left in DISPLACEMENTS:
        window, lengths = _window(others, top, left)
        # The mean of `middle` is 0, so that the others need not have theirs taken away.
        torch.maximum(greatest, (middle @ window.T).mul_(lengths), out=greatest)
    likeness, place = greatest.max(dim=1)
    return likeness, place


def _bounds(ones: Tensor, others: Tensor) -> Tensor:
    """What the likeness of each of `ones` to each of `others` is at most: (N, M).

    The product of two unit vectors is that of their parts in a space of few dimensions, here the
    principal components of `ones`, and that of what is left of them, which is at most the product
    of its lengths.
    """
    middle = _middle(ones)
    energies, components = torch.linalg.eigh(middle.T @ middle)  # the least first
    kept = int((energies.cumsum(0) > LEFT * energies.sum()).sum())
    basis = components[:, -min(kept, DIMENSIONS) :]
    middle = _with_rest(middle @ basis)
    greatest = torch.full((len(ones), len(others)), -1.0)
    for top, left in DISPLACEMENTS:
        window, lengths = _window(others, top, left)
        parts = _with_rest((window @ basis).mul_(lengths[:, None]))
        torch.maximum(greatest, middle @ parts.T, out=greatest)
    return greatest


def _with_rest(parts: Tensor) -> Tensor:
    """(N, dimensions + 1): the parts of unit vectors, and the length of what is left of each."""
    rest = (1 - torch.einsum("np,np->n", parts, parts)).clamp(min=0).sqrt()
    return torch.cat([parts, rest[:, None]], dim=1)


def _middle(details: Tensor) -> Tensor:
    """The middle of each picture as a unit vector without a mean, (N, pixels)."""
    window, lengths = _window(details, SHIFT, SHIFT)
    return (window - window.mean(1, keepdim=True)) * lengths[:, None]


def _window(details: Tensor, top: int, left: int) -> tuple[Tensor, Tensor]:
    """A window, (N, pixels), and for each picture 1 / its norm less its mean; 0 for a blank one."""
    side = SIDE - 2 * SHIFT
    window = details[:, top : top + side, left : left + side].flatten(1)
    squares = torch.einsum("np,np->n", window, window) - window.mean(1).square() * window.shape[1]
    length = squares.clamp(min=0).sqrt()
    return window, torch.where(length > BLANK, 1 / length.clamp(min=BLANK), 0.0)
