"""Images that are in memory already: arrays, tensors and Pillow's images."""

import os
from dataclasses import replace
from typing import Annotated, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from gridgen.arguments import PathLike
from gridgen.errors import DataError
from gridgen.images import pillow_formats
from gridgen.images.files import channel_text, read_pixels, require_channels
from gridgen.images.header import Header, Photometric
from gridgen.images.rules import DecodedImage, of_channels, pixels_of
from gridgen.images.scale import FILE_SCALE, PixelScale


@runtime_checkable
class HasArray(Protocol):
    """What numpy makes an array of."""

    def __array__(self) -> Any:
        """The values."""


ImageLike = Annotated[
    PathLike | Image.Image | HasArray | torch.Tensor,
    "an image: a path, an image of Pillow, an array (H, W) or (H, W, C), or a tensor (C, H, W)",
]


def image_of(given: ImageLike, channels: int, scale: PixelScale = FILE_SCALE) -> torch.Tensor:
    """An image as a network of so many channels takes it: float32 (channels, H, W) in [0, 1].

    `given` is the path of a file (`read_image`), an image of Pillow, an array (H, W) or (H, W, C),
    or a tensor (C, H, W). Floating point values must lie in [0, 1]; those of uint8 and uint16
    become levels as those of a file of as many bits do. Grey and RGB become each other, and alpha
    is dropped. Errors: `DataError`.

    >>> image_of(np.full((2, 4), 255, np.uint8), channels=3).shape
    torch.Size([3, 2, 4])
    """
    return decoded(given, channels, scale).levels


def decoded(given: ImageLike, channels: int, scale: PixelScale = FILE_SCALE) -> DecodedImage:
    """What `image_of` gives, with the pixels that have no value. Errors: `DataError`."""
    if isinstance(given, str | os.PathLike):
        return read_pixels(given, channels, scale)
    if isinstance(given, Image.Image):
        return _of_pillow(given, channels, scale)
    array = _of_tensor(given) if isinstance(given, torch.Tensor) else np.asarray(given)
    found = _of_array(_channels_last(array), channels, scale)
    number = len(found.levels)
    if number != channels and {number, channels} != {1, 3}:
        shape = " x ".join(map(str, np.shape(given)))
        fact = f"an image of {shape} has {channel_text(number)}, but {channels} are wanted"
        raise DataError(f"{fact}; arrays are (H, W, C), tensors (C, H, W)")
    return replace(found, levels=of_channels(found.levels, channels))


def _of_pillow(image: Image.Image, channels: int, scale: PixelScale) -> DecodedImage:
    """An image that Pillow holds, or has opened, as `read_pixels` gives that of a file.

    Of several pages it is the current one; of colour of 16 bits whose pixels are decoded already,
    Pillow holds the upper 8. Errors: `DataError`.
    """
    name = getattr(image, "filename", "") or f"an image of Pillow, mode {image.mode}"
    if not all(image.size):
        raise DataError(f"{name}: {image.height}x{image.width} is no image; give one with pixels")
    # Pillow says so by a bare assertion.
    if getattr(image, "tile", None) and getattr(image, "fp", image) is None:
        raise DataError(f"{name}: closed before its pixels were read; give it while it is open")
    header, samples = pillow_formats.samples_of(image, name)
    require_channels(name, header.channels, channels)
    found = pixels_of(header, samples, scale)
    return replace(found, levels=of_channels(found.levels, channels))


def _of_tensor(tensor: torch.Tensor) -> npt.NDArray[Any]:
    """(H, W) or (H, W, C) of a tensor (H, W) or (C, H, W). Errors: `DataError`."""
    require_values(tensor)
    # numpy has neither bfloat16 nor numbers that are kept conjugated or negated.
    plain = tensor.float() if tensor.is_floating_point() else tensor.resolve_conj()
    array = plain.detach().resolve_neg().cpu().numpy()
    return np.moveaxis(array, 0, -1) if array.ndim == 3 else array


def require_values(tensor: torch.Tensor) -> None:
    """Refuse a tensor that is sparse, quantized, or on the device meta. Errors: `DataError`."""
    if tensor.is_meta or tensor.is_quantized or tensor.layout != torch.strided:
        kind = "on the device meta" if tensor.is_meta else f"of layout {tensor.layout}"
        kind = "quantized" if tensor.is_quantized else kind
        raise DataError(
            f"a tensor that is {kind} has no plain values; give a dense one with values"
        )


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


def _of_array(array: npt.NDArray[Any], wanted: int, scale: PixelScale) -> DecodedImage:
    """What (H, W, C) holds, less alpha where there is one channel too many for grey or RGB."""
    given = array.shape[2]
    has_alpha = given != wanted and given in (2, 4)
    header = Header(
        format="array",
        stored=(array.shape[0], array.shape[1]),
        samples=given,
        dtype=array.dtype,
        bits=8 * array.dtype.itemsize,
        photometric=Photometric.RGB if given - has_alpha == 3 else Photometric.BLACK_IS_ZERO,
        alpha=(given - 1,) if has_alpha else (),
    )
    if array.dtype.kind != "f":
        return pixels_of(header, array, scale)
    least, most = float(array.min()), float(array.max())
    if not (least >= 0 and most <= 1):  # NaN is neither
        fact = f"values from {least:g} to {most:g}"
        raise DataError(f"{fact}; floating point images lie in [0, 1], others are uint8 or uint16")
    kept = np.moveaxis(array[..., :-1] if has_alpha else array, -1, 0)
    return DecodedImage(torch.from_numpy(np.ascontiguousarray(kept, np.float32)), header)
