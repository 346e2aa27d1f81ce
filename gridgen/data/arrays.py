"""Images that are in memory already: arrays, tensors and Pillow's images."""

from pathlib import Path
from typing import Annotated, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from gridgen.data.images import (
    COLOUR_WHITE,
    DAMAGED,
    channel_text,
    channels_of,
    decoded,
    of_channels,
    read_image,
    require_channels,
    to_levels,
)
from gridgen.errors import DataError


@runtime_checkable
class HasArray(Protocol):
    """What numpy makes an array of."""

    def __array__(self) -> Any:
        """The values."""


ImageLike = Annotated[
    str | Path | Image.Image | HasArray | torch.Tensor,
    "an image: a path, an image of Pillow, an array (H, W) or (H, W, C), or a tensor (C, H, W)",
]


def image_of(given: ImageLike, channels: int, white: float | None = None) -> torch.Tensor:
    """An image as a network of so many channels takes it: float32 (channels, H, W) in [0, 1].

    `given` is the path of a file (`read_image`), an image of Pillow (`of_pillow`), an array (H, W)
    or (H, W, C), or a tensor (C, H, W). Floating point values must lie in [0, 1]; those of uint8
    and uint16 become levels as those of a file of as many bits do. Grey and RGB become each other,
    and alpha is dropped. Errors: `DataError`.

    >>> image_of(np.full((2, 4), 255, np.uint8), channels=3).shape
    torch.Size([3, 2, 4])
    """
    if isinstance(given, str | Path):
        return read_image(given, channels, white)
    if isinstance(given, Image.Image):
        return of_pillow(given, channels, white)
    array = _of_tensor(given) if isinstance(given, torch.Tensor) else np.asarray(given)
    levels = _levels(_channels_last(array), white)
    found = len(levels)
    if found != channels and found in (2, 4):  # grey or RGB, then alpha
        levels, found = levels[:-1], found - 1
    if found != channels and {found, channels} != {1, 3}:
        shape = " x ".join(map(str, np.shape(given)))
        fact = f"an image of {shape} has {channel_text(found)}, but {channels} are wanted"
        raise DataError(f"{fact}; arrays are (H, W, C), tensors (C, H, W)")
    return of_channels(levels, channels)


def of_pillow(image: Image.Image, channels: int, white: float | None = None) -> torch.Tensor:
    """An image that Pillow holds, or has opened, as `read_image` gives that of a file.

    Of several pages it is the current one; of colour of 16 bits Pillow holds the upper 8. Errors:
    `DataError`.
    """
    name = getattr(image, "filename", "") or f"an image of Pillow, mode {image.mode}"
    if not all(image.size):
        raise DataError(f"{name}: {image.height}x{image.width} is no image; give one with pixels")
    # Pillow says so by a bare assertion.
    if getattr(image, "tile", None) and getattr(image, "fp", image) is None:
        raise DataError(f"{name}: closed before its pixels were read; give it while it is open")
    require_channels(name, channels_of(image), channels)
    try:
        return of_channels(to_levels(decoded(image, channels), white), channels)
    except DAMAGED as error:
        raise DataError(f"{name}: damaged, or no image: {error}") from error


def _of_tensor(tensor: torch.Tensor) -> npt.NDArray[Any]:
    """(H, W) or (H, W, C) of a tensor (H, W) or (C, H, W). Errors: `DataError`."""
    if tensor.is_meta or tensor.is_quantized or tensor.layout != torch.strided:
        kind = "on the device meta" if tensor.is_meta else f"of layout {tensor.layout}"
        kind = "quantized" if tensor.is_quantized else kind
        raise DataError(
            f"a tensor that is {kind} has no plain values; give a dense one with values"
        )
    # numpy has neither bfloat16 nor numbers that are kept conjugated or negated.
    plain = tensor.float() if tensor.is_floating_point() else tensor.resolve_conj()
    array = plain.detach().resolve_neg().cpu().numpy()
    return np.moveaxis(array, 0, -1) if array.ndim == 3 else array


def _channels_last(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(H, W, C) of an array with values. Errors: `DataError`."""
    if array.ndim not in (2, 3) or not array.size:
        shape = " x ".join(map(str, array.shape)) or "one value"
        raise DataError(f"{shape} is no image; give one image: an array (H, W) or (H, W, C)")
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
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
