"""Files of which Pillow alone would lose something.

TIFF of many channels, of several pages or of deep colour; PNG of 16 bits and several channels, of
which Pillow keeps the upper 8 bits.
"""

import logging
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from gridgen.errors import DataError

if TYPE_CHECKING:
    from tifffile import TiffPage

# Byte order, then 42, or 43 in a BigTIFF.
TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MIN_IS_WHITE, MIN_IS_BLACK, RGB, SEPARATED = 0, 1, 2, 5
ALPHA = (1, 2)
# What tifffile raises on a damaged file; imagecodecs, where it is there, raises RuntimeError.
DAMAGED = (
    *(ValueError, TypeError, LookupError, ArithmeticError, RuntimeError),
    *(struct.error, zlib.error),
)

# tifffile logs what it finds odd. It is an error of ours, or nothing that a user must read.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Bands:
    """The pages of a TIFF file, all of one size and type, as the channels of one image."""

    pages: "tuple[TiffPage, ...]"

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.pages[0].imagelength, self.pages[0].imagewidth

    @property
    def channels(self) -> int:
        """Channels of all pages together, without alpha."""
        return sum(map(_channels, self.pages))

    @property
    def bits(self) -> int:
        """Bits of one value."""
        return int(self.pages[0].bitspersample)

    @property
    def coloured(self) -> bool:
        """True if the channels are red, green and blue."""
        return self.pages[0].photometric == RGB and self.channels == 3

    def read(self) -> npt.NDArray[np.generic]:
        """The values of the file, (H, W, channels)."""
        return np.concatenate([_pixels(page) for page in self.pages], axis=2)


@contextmanager
def bands(path: str | Path) -> Iterator[Bands | None]:
    """Open the bands of a file; None if it is not a TIFF, or one that Pillow reads.

    Errors: `OSError`; `DataError` that names a damaged or unsupported file, also for errors in the
    block.
    """
    if not _is_tiff(path):
        yield None
        return
    from tifffile import TiffFile

    try:
        with TiffFile(path) as file:
            yield _found(path, [page.aspage() for page in file.pages])
    except DAMAGED as error:
        raise DataError(f"{path}: {_reason(error)}") from error


def _is_tiff(path: str | Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) in TIFF_MAGIC


def _reason(error: Exception) -> str:
    if "imagecodecs" in str(error):
        packing = str(error).split(" requires ")[0].split(".")[-1].strip("<>").split(":")[0]
        return f"compressed by {packing}; save it with deflate, or pip install imagecodecs"
    return f"damaged, or no image: {error}"


def _found(path: str | Path, pages: "list[TiffPage]") -> Bands | None:
    """The pages as one image, without its smaller versions and masks.

    None if Pillow reads the file without loss, or if tifffile cannot read it.
    """
    if len(pages) == 1 and _is_plain(pages[0]):
        return None
    kept = [page for page in pages if page.subfiletype == 0]
    if not kept:
        raise DataError(f"{path}: damaged, or no image: no page of full size")
    for number, page in enumerate(kept, 1):
        _require_band(path, page, number, kept)
    return Bands(tuple(kept))


def _is_plain(page: "TiffPage") -> bool:
    """True if Pillow reads the page: grey, 8-bit RGB, or neither grey nor RGB."""
    channels = _channels(page)
    simple = channels == 1 or (channels == 3 and page.bitspersample <= 8)
    return simple or page.photometric not in (MIN_IS_BLACK, RGB, MIN_IS_WHITE)


def _require_band(path: str | Path, page: "TiffPage", number: int, pages: "list[TiffPage]") -> None:
    """Refuse a page whose values cannot be channels beside those of the first."""
    first = pages[0]
    if page.photometric not in (MIN_IS_WHITE, MIN_IS_BLACK, RGB) or page.imagedepth != 1:
        raise DataError(f"{path}: page {number} is neither grey nor RGB; save it as either")
    if page.photometric == MIN_IS_WHITE:
        raise DataError(f"{path}: page {number} has white at 0; save it with black at 0")
    if len(pages) > 1 and _channels(page) != 1:
        fact = f"{len(pages)} pages, of which page {number} has {_channels(page)} channels"
        raise DataError(f"{path}: {fact}; pages are channels, so save each page as a file")
    if (page.imagelength, page.imagewidth, page.dtype) != (
        first.imagelength,
        first.imagewidth,
        first.dtype,
    ):
        fact = f"page {number} is {_shown(page)}, page 1 {_shown(first)}"
        raise DataError(f"{path}: {fact}; pages are channels, of one size")
    limit = Image.MAX_IMAGE_PIXELS
    if limit and page.imagelength * page.imagewidth > 2 * limit:
        raise DataError(f"{path}: {_shown(page)}: too large to be an image; damaged?")
    if page.dtype is None or page.dtype.kind not in "uif":
        raise DataError(f"{path}: values of {page.bitspersample} bits are not read; save 8 or 16")


def _shown(page: "TiffPage") -> str:
    return f"{page.imagewidth}x{page.imagelength} of {page.bitspersample} bits"


def _channels(page: "TiffPage") -> int:
    """Number of values of a pixel, without alpha."""
    return int(page.samplesperpixel) - sum(int(extra) in ALPHA for extra in page.extrasamples)


def _pixels(page: "TiffPage") -> npt.NDArray[np.generic]:
    """(H, W, channels) of one page, for either order in which its channels are stored."""
    pixels = page.asarray()
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    elif page.axes.startswith("S"):
        pixels = np.moveaxis(pixels, 0, 2)
    kept = [i for i in range(pixels.shape[2]) if not _is_alpha(page, i)]
    return pixels[..., kept]


def _is_alpha(page: "TiffPage", sample: int) -> bool:
    """True if the sample is an extra one, after those of grey or colour, declared as alpha."""
    extra = sample - (int(page.samplesperpixel) - len(page.extrasamples))
    return extra >= 0 and int(page.extrasamples[extra]) in ALPHA


# How Pillow unpacks such a file, and how it must be told to, so that it keeps the lower bytes.
LOWER = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}
# Grey and alpha have four bytes a pixel, as have red, green, blue and alpha of 8 bits.
GREY = {"LA;16B": "RGBA"}


def unpacking(image: Image.Image) -> str:
    """The mode in which Pillow unpacks the pixels of an open PNG; "" for another file."""
    tiles = getattr(image, "tile", ())
    return str(tiles[0][3]) if image.format == "PNG" and tiles else ""


def is_deep_colour(image: Image.Image) -> bool:
    """True for red, green and blue of 16 bits, with alpha or not."""
    return unpacking(image) in LOWER


def is_deep_grey(image: Image.Image) -> bool:
    """True for grey of 16 bits with alpha."""
    return unpacking(image) in GREY


def read_deep(path: str | Path) -> npt.NDArray[np.uint16]:
    """All 16 bits without alpha: (H, W, 3), or (H, W, 1) for grey."""
    with Image.open(path, formats=["PNG"]) as image:
        if is_deep_grey(image):
            return _joined(*np.moveaxis(_unpacked(image, GREY), 2, 0)[:2])[..., None]
        upper = np.asarray(image)[..., :3]
    # Pillow decodes an image once, so its other bytes need the file a second time.
    with Image.open(path, formats=["PNG"]) as image:
        return _joined(upper, _unpacked(image, LOWER)[..., :3])


def _unpacked(image: Image.Image, instead: dict[str, str]) -> npt.NDArray[np.uint8]:
    """The bytes that Pillow keeps when it unpacks in the mode `instead`."""
    way = instead[unpacking(image)]
    image.tile = [tile._replace(args=way) for tile in image.tile]  # type: ignore[attr-defined]
    return np.asarray(image)


def _joined(upper: npt.NDArray[np.uint8], lower: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    joined: npt.NDArray[np.uint16] = upper.astype(np.uint16) * 256 + lower
    return joined
