"""Image files to arrays: images in [0, 1], and labels whose pixels are ids.

Says nothing of which file belongs to which: see `folder`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from gridgen.errors import DataError

Pixels = npt.NDArray[np.float32]

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF")
# How much of an image's range is stretched to [0, 1] where its white is not known.
PERCENTILES = (1.0, 99.8)
# Formats that tell a file that was cut off without decoding its pixels.
SELF_CHECKING = ("PNG", "WEBP")


def read_image(path: str | Path, channels: int) -> torch.Tensor:
    """The image in a PNG, JPEG, WebP or TIFF file: float32 (channels, H, W) in [0, 1].

    Grey is repeated for 3 channels and RGB becomes luma (ITU-R 601) for 1; an alpha channel is
    dropped; the orientation tag of a JPEG is obeyed. Colour and 8-bit grey are divided by their
    white. Grey of more bits (16, 32, float) has no known white, so it is stretched from the 1st
    to the 99.8th percentile of the file and clamped. Errors: `DataError` that names the file.
    """
    if channels not in (1, 3):
        raise DataError(f"{path}: an image is read as 1 (grey) or 3 (RGB) channels, not {channels}")
    with _opened(path) as image:
        deep = _is_deep(image)
        pixels = _stretched(np.asarray(image)) if deep else _eight_bit(image, channels)
    return torch.from_numpy(pixels).permute(2, 0, 1).expand(channels, -1, -1).contiguous()


def read_ids(path: str | Path) -> npt.NDArray[np.uint8]:
    """The label in a palette or grey PNG file: (H, W), whose pixels are ids in 0..255."""
    with _opened(path) as image:
        if image.mode not in ("1", "L", "P"):
            fact = f"{path}: a label of mode {image.mode}; save ids as an 8-bit grey or palette PNG"
            raise DataError(fact)
        return np.array(image, dtype=np.uint8)


def is_grey(path: str | Path) -> bool:
    """Whether the image file has one channel, by its header. Errors: `DataError`."""
    with _opened(path) as image:
        return _is_deep(image) or image.mode in ("1", "L", "LA")


def inspect_image(path: str | Path) -> tuple[int, int]:
    """(height, width) of an image file that is whole.

    Decodes no pixels where the format allows to tell without. Errors: `DataError`.
    """
    with _opened(path) as image:
        width, height = _upright(image).size
        if image.format in SELF_CHECKING:
            image.verify()
        else:
            image.load()
        return height, width


@contextmanager
def _opened(path: str | Path) -> Iterator[Image.Image]:
    """The open image. What goes wrong with the file in the block is a `DataError`."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            pages = _pages(image)
            if pages > 1 and image.format in FORMATS:
                raise DataError(f"{path}: {pages} pages; save each as a file of its own")
            yield image
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: {_reason(path, error)}") from error


def _pages(image: Image.Image) -> int:
    """Number of pages; Pillow's `TypeError` for a TIFF whose next page has no size is `OSError`."""
    try:
        return int(getattr(image, "n_frames", 1))
    except TypeError as error:
        raise OSError(str(error)) from error


def _reason(path: str | Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if Path(path).stat().st_size == 0:
        return "the file is empty"
    if isinstance(error, UnidentifiedImageError):
        return "not a PNG, JPEG, WebP or TIFF image"
    return f"damaged, or no image: {error}"


def _is_deep(image: Image.Image) -> bool:
    """Whether the pixels are grey of more than 8 bits."""
    return image.mode.startswith(("I", "F"))


def _upright(image: Image.Image) -> Image.Image:
    """The image as its camera was held. Pillow itself turns a TIFF."""
    return ImageOps.exif_transpose(image) if image.format in ("JPEG", "MPO") else image


def _eight_bit(image: Image.Image, channels: int) -> Pixels:
    """(H, W, channels) in [0, 1]."""
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")
    image = _upright(image).convert("L" if channels == 1 else "RGB")
    pixels: Pixels = np.asarray(image, dtype=np.float32) / np.float32(255)
    return pixels.reshape(image.height, image.width, channels)


def _stretched(pixels: npt.NDArray[np.generic]) -> Pixels:
    """(H, W, 1) in [0, 1]: low percentile to 0, high percentile to 1; all 0 where they agree."""
    grey = np.nan_to_num(pixels.astype(np.float64))
    low, high = np.percentile(grey, PERCENTILES)
    span = max(high - low, np.finfo(np.float32).tiny)
    stretched: Pixels = np.clip((grey - low) / span, 0, 1).astype(np.float32)
    return stretched[..., None]
