"""Images that are in memory already: arrays, tensors and Pillow's images."""

from pathlib import Path
from typing import Annotated, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch

from gridgen.data.images import COLOUR_WHITE, channel_text, of_channels, read_image, to_levels
from gridgen.errors import DataError


@runtime_checkable
class HasArray(Protocol):
    """What numpy makes an array of, such as an image of Pillow."""

    def __array__(self) -> Any:
        """The values."""


ImageLike = Annotated[
    str | Path | HasArray | torch.Tensor,
    "an image: a path, an array (H, W) or (H, W, C), or a tensor (C, H, W)",
]


def image_of(given: ImageLike, channels: int, white: float | None = None) -> torch.Tensor:
    """An image as a network of so many channels takes it: float32 (channels, H, W) in [0, 1].

    `given` is the path of a file (`read_image`), an array (H, W) or (H, W, C), or a tensor
    (C, H, W). Floating point values must lie in [0, 1]; those of uint8 and uint16 become levels as
    those of a file of as many bits do. Grey and RGB become each other, and alpha
    is dropped. Errors: `DataError`.

    >>> image_of(np.full((2, 4), 255, np.uint8), channels=3).shape
    torch.Size([3, 2, 4])
    """
    if isinstance(given, str | Path):
        return read_image(given, channels, white)
    if isinstance(given, torch.Tensor):
        given = given.float() if given.is_floating_point() else given
        array = given.detach().cpu().numpy()
        array = np.moveaxis(array, 0, -1) if array.ndim == 3 else array
    else:
        array = np.asarray(given)
    levels = _levels(_channels_last(array), white)
    found = len(levels)
    if found != channels and found in (2, 4):  # grey or RGB, then alpha
        levels, found = levels[:-1], found - 1
    if found != channels and {found, channels} != {1, 3}:
        shape = " x ".join(map(str, np.shape(given)))
        fact = f"an image of {shape} has {channel_text(found)}, but {channels} are wanted"
        raise DataError(f"{fact}; arrays are (H, W, C), tensors (C, H, W)")
    return of_channels(levels, channels)


def _channels_last(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(H, W, C) of an array with values. Errors: `DataError`."""
    if array.ndim not in (2, 3) or not array.size:
        shape = " x ".join(map(str, array.shape)) or "one value"
        raise DataError(f"{shape} is no image; give one image: an array (H, W) or (H, W, C)")
    if array.dtype.kind != "f" and array.dtype not in (np.uint8, np.uint16):
        fact = f"an image of {array.dtype} values, whose white is not known"
        raise DataError(f"{fact}; give uint8, uint16, or floats in [0, 1]")
    return array[..., None] if array.ndim == 2 else array


def _levels(array: npt.NDArray[Any], white: float | None) -> torch.Tensor:
    if array.dtype.kind != "f":
        # As in files: only of colour is it known that 16 bits are used in full.
        colour = array.dtype == np.uint16 and array.shape[2] >= 3
        return to_levels(array, white or (COLOUR_WHITE if colour else None))
    least, most = float(array.min()), float(array.max())
    if not (least >= 0 and most <= 1):  # NaN is neither
        fact = f"values from {least:g} to {most:g}"
        raise DataError(f"{fact}; floating point images lie in [0, 1], others are uint8 or uint16")
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 0), np.float32))
