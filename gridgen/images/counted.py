"""The ranges of an image that is gone through band by band, by how often each number occurs."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from gridgen.images.header import Header, Photometric, Samples
from gridgen.images.rules import (
    PERCENTILES,
    Levels,
    Ranges,
    numbers_of,
    upright_samples,
    valid_samples,
)
from gridgen.images.scale import PixelScale

Occurrences = npt.NDArray[np.int64]


def is_countable(header: Header) -> bool:
    """Whether an image holds whole numbers of 16 bits or fewer."""
    return header.dtype.kind != "f" and header.dtype.itemsize <= 2


def counted_ranges(header: Header, bands: Iterable[Samples], scale: PixelScale) -> Ranges:
    """What `ranges_of` gives for all stored samples of a countable image, to the last bit."""
    limits = np.iinfo(header.dtype)
    every = np.arange(limits.min, limits.max + 1).astype(header.dtype)[:, None, None]
    counts: Occurrences = np.zeros((header.samples - len(header.alpha), len(every)), np.int64)
    for stored in bands:
        upright = upright_samples(header, stored)
        for channel, count in enumerate(counts):
            found = upright[..., channel].astype(np.intp).ravel() - limits.min
            count += np.bincount(found, minlength=len(every))
    numbers = numbers_of(header, every, valid_samples(header, every, scale.nodata)).ravel()
    counts[:, np.isnan(numbers)] = 0
    if header.photometric is Photometric.WHITE_IS_ZERO:
        numbers, counts = numbers[::-1], counts[:, ::-1]
    return tuple(_range(numbers, count.cumsum()) for count in counts)


def _range(numbers: Levels, upto: Occurrences) -> tuple[float, float]:
    if not upto[-1]:
        return 0.0, 1.0
    low, high = (_percentile(numbers, upto, share / 100) for share in PERCENTILES)
    return low, high


def _percentile(numbers: Levels, upto: Occurrences, share: float) -> float:
    """That of growing numbers, of which `upto` occur up to each."""
    last = int(upto[-1]) - 1
    below = int(last * share)
    low, high = numbers[np.searchsorted(upto, [below, min(below + 1, last)], side="right")]
    # The method `linear` of numpy.percentile, in its own order of operations.
    along, between = last * share - below, high - low
    return float(high - between * (1 - along) if along >= 0.5 else low + between * along)
