"""Image files to arrays: images in [0, 1], and labels whose pixels are ids.

Says nothing of which file belongs to which: see `folder`.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from gridgen.data import tiff_and_deep_png as formats
from gridgen.data.dataset import Window
from gridgen.errors import DataError

PixelValues = npt.NDArray[np.generic]
IdArray = npt.NDArray[np.integer]

# How much of an image's range is stretched to [0, 1] where its white is not known.
PERCENTILES = (1.0, 99.8)
# Red, green and blue in grey: ITU-R 601, as Pillow has it.
LUMA = np.array([[0.299], [0.587], [0.114]], np.float32)


def to_levels(values: PixelValues, white: float | None) -> torch.Tensor:
    """Convert (H, W, channels) to contiguous float32 (channels, H, W) in [0, 1].

    8 bits are divided by 255, others by `white`, and clamped. Without `white`, each channel is
    stretched from its 1st to its 99.8th percentile; one that is flat is 0.
    """
    if values.dtype == np.uint8:
        # torch takes no array that is read backwards, as a mirrored one is.
        whole = torch.tensor(np.ascontiguousarray(values))
        return whole.permute(2, 0, 1).contiguous().float().div_(255)
    if white is None:
        levels = np.stack([_stretched(channel) for channel in np.moveaxis(values, 2, 0)])
    else:
        levels = np.moveaxis(_finite(values) / white, 2, 0)
    return torch.from_numpy(np.ascontiguousarray(levels.clip(0, 1), np.float32))


def to_grey(image: torch.Tensor) -> torch.Tensor:
    """Convert red, green and blue (3, H, W) to luma, (1, H, W)."""
    return torch.einsum("chw,cg->ghw", image, torch.from_numpy(LUMA))


def _stretched(channel: PixelValues) -> npt.NDArray[np.float64]:
    """(H, W), about in [0, 1]: low percentile to 0, high percentile to 1."""
    grey = _finite(channel)
    low, high = np.percentile(grey, PERCENTILES)
    span = max(high - low, np.finfo(np.float32).tiny)
    stretched: npt.NDArray[np.float64] = (grey - low) / span
    return stretched


def _finite(values: PixelValues) -> npt.NDArray[np.float64]:
    return np.nan_to_num(values.astype(np.float64))


SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
LABEL_SUFFIXES = (".png", ".tif", ".tiff")
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF")
# What files of those formats begin with.
SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", *formats.TIFF_MAGIC)
# Formats that tell a file that was cut off without decoding its pixels.
SELF_CHECKING = ("PNG", "WEBP")
# What Pillow raises on a file that is missing or damaged.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
# The greatest value of 16 bits, which is white where they are colour.
COLOUR_WHITE = 65535
# The orientation tag, and its values that swap width and height.
ORIENTATION, LYING = 0x0112, (5, 6, 7, 8)


@dataclass(frozen=True)
class Header:
    """The header of an image file: `size` is (height, width), `bits` are those of one value.

    `channels` do not include alpha.
    """

    size: tuple[int, int]
    channels: int
    bits: int


def read_image(
    path: str | Path, channels: int, white: float | None = None, window: Window | None = None
) -> torch.Tensor:
    """The image in a PNG, JPEG, WebP or TIFF file: float32 (channels, H, W) in [0, 1].

    With `window`, only that part of it, which costs less than the whole.

    Grey is repeated for 3 channels and RGB becomes luma (ITU-R 601) for 1; any other number must
    be the file's own. Alpha is dropped, the orientation tag of a JPEG obeyed; the pages of a TIFF
    are channels. PixelValues of 8 bits are divided by 255, others by `white` and clamped. Without
    `white`, colour of 16 bits is divided by 65535; other values of more than 8 bits have no known
    white, so each channel is stretched from its 1st to its 99.8th percentile in the file. Errors:
    `DataError` that names the file.
    """
    values, known = _read(path, channels)
    white = white or known
    if window is None:
        return of_channels(to_levels(values, white), channels)
    part = _cut(path, values, window)
    if white is not None or values.dtype == np.uint8:
        return of_channels(to_levels(part, white), channels)
    whole = of_channels(to_levels(values, None), channels)  # stretched by all of its values
    return whole[:, window.rows, window.columns]


def read_ids(path: str | Path, window: Window | None = None) -> IdArray:
    """The ids in a palette or grey PNG or TIFF file, or in its part `window`: (H, W)."""
    ids = _ids(path)
    return ids if window is None else _cut(path, ids, window)


def _cut(path: str | Path, values: npt.NDArray[Any], window: Window) -> npt.NDArray[Any]:
    """The part of (H, W, ...) in the window. Errors: `DataError` if the values end before it."""
    part = values[window.rows, window.columns]
    if part.shape[:2] != (window.side, window.side):
        raise DataError(f"{path}: has become smaller since the dataset was opened; put it back")
    return part


def _ids(path: str | Path) -> IdArray:
    with _opened(path) as image:
        if image.mode in ("1", "L", "P"):
            return np.array(image, dtype=np.uint8)
        if image.mode.startswith("I"):
            return np.array(image)
        fact = f"{path}: a label of mode {image.mode}; save ids as a grey or palette PNG"
        raise DataError(fact)


def read_header(path: str | Path) -> Header:
    """Size, channels and bits of an image file. Decodes no pixels. Errors: `DataError`."""
    with _reading(path), formats.bands(path) as bands:
        if bands:
            return Header(bands.size, bands.channels, bands.bits)
    with _opened(path) as image:
        return _header(image)


def inspect_image(path: str | Path) -> Header:
    """The header of an image file, once the file is known to be whole.

    Decodes no pixels if the format has checksums. Errors: `DataError`.
    """
    with _reading(path), formats.bands(path) as bands:
        if bands:
            bands.read()
            return Header(bands.size, bands.channels, bands.bits)
    with _opened(path) as image:
        header = _header(image)
        if image.format in SELF_CHECKING:
            image.verify()
        else:
            image.load()
        return header


def _read(path: str | Path, channels: int) -> tuple[PixelValues, float | None]:
    """The values of a file, (H, W, its channels or the wanted ones), and their white if known."""
    with _reading(path), formats.bands(path) as bands:
        if bands:
            require_channels(path, bands.channels, channels)
            return bands.read(), COLOUR_WHITE if bands.coloured and bands.bits == 16 else None
    with _opened(path) as image:
        require_channels(path, channels_of(image), channels)
        if formats.is_deep_colour(image):
            return formats.read_deep(path), COLOUR_WHITE
        if formats.is_deep_grey(image):
            return formats.read_deep(path), None
        return decoded(image, channels), None


@contextmanager
def _reading(path: str | Path) -> Iterator[None]:
    """Turn errors of a damaged file in the block into `DataError`."""
    try:
        yield
    except DAMAGED as error:
        raise DataError(f"{path}: {_reason(path, error)}") from error


@contextmanager
def _opened(path: str | Path) -> Iterator[Image.Image]:
    """Open an image of one page. Errors of a damaged file in the block become `DataError`."""
    with _reading(path), Image.open(path, formats=FORMATS) as image:
        pages = _pages(image)
        if pages > 1 and image.format in FORMATS:
            raise DataError(f"{path}: {pages} pages; save each as a file of its own")
        yield image


def _pages(image: Image.Image) -> int:
    """Number of pages; Pillow's `TypeError` for a TIFF whose next page has no size is `OSError`."""
    try:
        return int(getattr(image, "n_frames", 1))
    except TypeError as error:
        raise OSError(str(error)) from error


def _reason(path: str | Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    with open(path, "rb") as file:
        head = file.read(len(max(SIGNATURES, key=len)))
    if not head:
        return "the file is empty"
    if not isinstance(error, UnidentifiedImageError):
        return f"damaged, or no image: {error}"
    if head.startswith(SIGNATURES):
        return "damaged, or no image: its header cannot be read"
    return "not a PNG, JPEG, WebP or TIFF image"


def _header(image: Image.Image) -> Header:
    width, height = image.size
    # Pillow itself turns a TIFF.
    turned = image.format in ("JPEG", "MPO") and image.getexif().get(ORIENTATION) in LYING
    return Header((width, height) if turned else (height, width), channels_of(image), _bits(image))


def channels_of(image: Image.Image) -> int:
    """1 for grey, 3 for colour; alpha does not count."""
    grey = _is_deep(image) or formats.is_deep_grey(image) or image.mode in ("1", "L", "LA")
    return 1 if grey else 3


def _bits(image: Image.Image) -> int:
    """Bits of one value; for a palette, those of its colours."""
    if formats.unpacking(image).endswith(";16B") or image.mode.startswith("I;16"):
        return 16
    if image.mode == "1":
        return 1
    return 32 if _is_deep(image) else 8


def _is_deep(image: Image.Image) -> bool:
    """True if the pixels are grey of more than 8 bits."""
    return image.mode.startswith(("I", "F"))


def decoded(image: Image.Image, channels: int) -> PixelValues:
    """The values as Pillow decodes them, (H, W, 1) of a deep image, else (H, W, channels)."""
    return np.asarray(image)[..., None] if _is_deep(image) else _eight_bit(image, channels)


def _eight_bit(image: Image.Image, channels: int) -> npt.NDArray[np.uint8]:
    """(H, W, channels) of a file of 8 bits, turned upright."""
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")
    if image.format in ("JPEG", "MPO"):
        image = ImageOps.exif_transpose(image)
    pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels)


def require_channels(path: str | Path, found: int, wanted: int) -> None:
    """Refuse channels that cannot be converted; only grey and RGB become each other."""
    if found != wanted and {found, wanted} != {1, 3}:
        raise DataError(f"{path}: {channel_text(found)}, but {wanted} are wanted")


def of_channels(image: torch.Tensor, channels: int) -> torch.Tensor:
    """The image with 1 or 3 channels converted to `channels`."""
    if len(image) == channels:
        return image
    return to_grey(image) if channels == 1 else image.expand(channels, -1, -1).contiguous()


def channel_text(number: int) -> str:
    """`1 channel`, `2 channels`."""
    return f"{number} channel{'s' * (number != 1)}"
