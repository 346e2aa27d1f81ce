"""From stored samples to levels from 0 to 1, and to the ids of a label: one rule for each property.

Images and labels pass through the same rules, whatever the format: orientation, alpha, photometric
interpretation, pixels without a value, depth. docs/data.md has them as a table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from gridgen.images.header import Header, Photometric, Samples
from gridgen.images.scale import FILE_SCALE, PixelScale

Levels = npt.NDArray[np.floating]
ValidMask = npt.NDArray[np.bool_]
IdArray = npt.NDArray[np.integer]
Ranges = tuple[tuple[float, float], ...]
"""Of each channel, the numbers that become 0 and 1."""

# How much of an image's range is stretched to [0, 1] where its white is not known.
PERCENTILES = (1.0, 99.8)
# Red, green and blue in grey: ITU-R 601, as Pillow has it.
LUMA = np.array([[0.299], [0.587], [0.114]], np.float32)

# Exif 2.3, 4.6.4: which way the stored rows and columns lie, turned upright.
UPRIGHT: dict[int, Callable[[Samples], Samples]] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: stored.swapaxes(0, 1)[:, ::-1],
    7: lambda stored: stored.swapaxes(0, 1)[::-1, ::-1],
    8: lambda stored: stored.swapaxes(0, 1)[::-1],
}


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """An image as networks take it."""

    levels: torch.Tensor
    """float32 (channels, H, W), from 0 to 1."""
    header: Header
    """That of its file; of several files, the first one's."""
    valid: torch.Tensor | None = None
    """bool (H, W): false where a pixel has no value in any channel; None if all have one."""


def pixels_of(
    header: Header,
    stored: Samples,
    scale: PixelScale = FILE_SCALE,
    ranges: Ranges | None = None,
) -> DecodedImage:
    """Levels from 0 to 1 of stored samples (rows, columns, samples).

    Of a part of a file, `ranges` are those of all its samples; else they are those of `stored`.
    """
    upright = upright_samples(header, stored)
    valid = valid_samples(header, upright, scale.nodata)
    white, plain = white_of(header, scale), header.photometric in PLAIN and not scale.black
    if valid is None and white and plain and upright.dtype in (np.uint8, np.uint16):
        return DecodedImage(_divided(upright, white), header)
    if header.photometric is Photometric.PALETTE:
        levels = _looked_up(header, upright[..., 0])
    else:
        levels = _levels(header, upright, scale, valid, ranges)
    if header.photometric is Photometric.CMYK and levels.shape[2] == 4:
        left = np.subtract(1, levels, out=levels)
        levels = np.multiply(left[..., :3], left[..., 3:], out=left[..., :3])
    if valid is None:
        return DecodedImage(_tensor(levels), header)
    anywhere = valid.any(axis=2)
    levels[~anywhere] = 0
    return DecodedImage(
        _tensor(levels), header, None if anywhere.all() else torch.from_numpy(anywhere)
    )


def decoding_bytes(header: Header) -> int:
    """Bytes of a pixel that `pixels_of` takes at most, beside the stored samples.

    Levels of 32 bits, and before them colours of a palette, or numbers of 64 bits; of one channel
    at a time, percentiles take those twice.
    """
    if header.photometric is Photometric.PALETTE:
        return 8 * header.channels
    if header.photometric in PLAIN and header.white:
        return 4 * header.channels
    return (12 if header.white else 18) * max(header.samples, header.channels)


PLAIN = (Photometric.BLACK_IS_ZERO, Photometric.RGB)


def _divided(values: Samples, white: float) -> torch.Tensor:
    """What `_levels` would give, in less time and memory: the case of nearly every file."""
    numbers = torch.from_numpy(np.require(values, requirements=["C", "W"]))
    levels = numbers.permute(2, 0, 1).contiguous().float().div_(white)
    return levels if white >= np.iinfo(values.dtype).max else levels.clamp_(max=1)


def _tensor(levels: Levels) -> torch.Tensor:
    channels_first = np.moveaxis(levels.clip(0, 1, out=levels), 2, 0)
    return torch.from_numpy(np.ascontiguousarray(channels_first, np.float32))


def upright_samples(header: Header, stored: Samples) -> Samples:
    """(H, W, samples): turned upright, without opacity."""
    upright = UPRIGHT[header.orientation](stored)
    if not header.alpha:
        return upright
    return upright[..., [i for i in range(header.samples) if i not in header.alpha]]


def _looked_up(header: Header, indices: npt.NDArray[np.integer]) -> Levels:
    """(H, W, 3): the colours of a palette; an index beyond its end is black, as Pillow has it."""
    assert header.palette is not None
    colours = np.zeros((max(2**header.bits, len(header.palette)), 3), np.float32)
    colours[: len(header.palette)] = header.palette
    found: Levels = colours[indices]
    return found


def valid_samples(header: Header, values: Samples, declared: float | None) -> ValidMask | None:
    """Which samples are numbers, and not those that mark a pixel without one; None if all are."""
    valid: ValidMask | None = None
    if header.dtype.kind == "f":
        valid = np.isfinite(values)
    for mark in (header.nodata, declared):
        if mark is not None and np.isfinite(mark):
            differs = values != _stored(mark, header.dtype)
            valid = differs if valid is None else valid & differs
    return None if valid is None or valid.all() else valid


def _stored(mark: float, dtype: np.dtype[Any]) -> Any:
    """The mark as a file stores it. Text has fewer digits than a float, or more than its range."""
    if dtype.kind != "f":
        return mark
    return dtype.type(np.clip(mark, np.finfo(dtype).min, np.finfo(dtype).max))


def ranges_of(header: Header, stored: Samples, scale: PixelScale) -> Ranges:
    """What becomes 0 and 1 in each channel of an image whose white is not known."""
    values = upright_samples(header, stored)
    numbers = numbers_of(header, values, valid_samples(header, values, scale.nodata))
    return tuple(_range(channel) for channel in np.moveaxis(numbers, 2, 0))


def numbers_of(header: Header, values: Samples, valid: ValidMask | None) -> Levels:
    """What grows with brightness where white is not known; NaN for samples without a value."""
    numbers = values.astype(np.float64)
    if valid is not None:
        numbers[~valid] = np.nan
    inverted = header.photometric is Photometric.WHITE_IS_ZERO
    return np.negative(numbers, out=numbers) if inverted else numbers


def _levels(
    header: Header,
    values: Samples,
    scale: PixelScale,
    valid: ValidMask | None,
    ranges: Ranges | None,
) -> Levels:
    """(H, W, samples) about in [0, 1], black at 0; samples without a value are 0.

    All in place: a whole image in 64 bits is large.
    """
    numbers = numbers_of(header, values, valid)
    if (white := white_of(header, scale)) is not None:
        black = scale.black or 0.0 if _declares(header, scale) else 0.0
        inverted = header.photometric is Photometric.WHITE_IS_ZERO
        if inverted:
            np.negative(numbers, out=numbers)
        numbers -= black
        numbers /= white - black
        if inverted:
            np.subtract(1, numbers, out=numbers)
    else:
        channels = np.moveaxis(numbers, 2, 0)
        low, high = np.array(ranges or [_range(channel) for channel in channels]).T
        numbers -= low
        numbers /= np.maximum(high - low, np.finfo(np.float32).tiny)
    return numbers if valid is None else np.nan_to_num(numbers, copy=False)


def white_of(header: Header, scale: PixelScale) -> float | None:
    """The number that becomes 1: what is declared for more than 8 bits, or what the file tells."""
    return scale.white if _declares(header, scale) else header.white


def _declares(header: Header, scale: PixelScale) -> bool:
    return scale.white is not None and header.bits > 8


def _range(channel: Levels) -> tuple[float, float]:
    """(H, W): the low and the high percentile of the numbers that are not NaN."""
    known = channel[~np.isnan(channel)]
    if not known.size:
        return 0.0, 1.0
    low, high = np.percentile(known, PERCENTILES, overwrite_input=True)
    return float(low), float(high)


def to_grey(image: torch.Tensor) -> torch.Tensor:
    """Convert red, green and blue (3, H, W) to luma, (1, H, W)."""
    return torch.einsum("chw,cg->ghw", image, torch.from_numpy(LUMA))


def of_channels(image: torch.Tensor, channels: int) -> torch.Tensor:
    """The image with 1 or 3 channels converted to `channels`."""
    if len(image) == channels:
        return image
    return to_grey(image) if channels == 1 else image.expand(channels, -1, -1).contiguous()
