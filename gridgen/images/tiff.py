"""TIFF files, read by tifffile: any number of bands, pages, depths and compressions."""

import logging
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gridgen.errors import DataError
from gridgen.images.header import Header, Photometric, Samples, Window
from gridgen.images.tiff_pages import rows_together, samples_of_page

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

# Byte order, then 42, or 43 in a BigTIFF.
MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
PHOTOMETRIC = {
    0: Photometric.WHITE_IS_ZERO,
    1: Photometric.BLACK_IS_ZERO,
    2: Photometric.RGB,
    3: Photometric.PALETTE,
    5: Photometric.CMYK,
    # JPEG inside a TIFF: its decoder answers red, green and blue.
    6: Photometric.RGB,
}
JPEG, PALETTE, YCBCR = 7, 3, 6
ALPHA = (1, 2)
ORIENTATION, GDAL_NODATA, INK_SET, CMYK_INKS = 274, 42113, 332, 1
MOST_PAGES = 4096
# Bits of NewSubfileType; another one says that a page is one of a document.
SMALLER_OR_MASK = 0b101
# What tifffile and the codecs raise on a damaged file.
DAMAGED = (
    *(ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, AttributeError),
    *(struct.error, zlib.error),
)

# tifffile logs what it finds odd. It is an error of ours, or nothing that a user must read.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


class TiffImage:
    """The pages of full size of an open TIFF file, as the channels of one image."""

    def __init__(self, path: Path, pages: "Sequence[TiffPage]") -> None:
        self._pages = pages
        self.header = _header(path, pages)

    def read(self, window: Window | None = None) -> Samples:
        """The samples of all pages: (rows, columns, samples), of the window where one is given."""
        parts = [samples_of_page(page, window) for page in self._pages]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)

    def verify(self) -> None:
        """Decode everything, since a TIFF has no checksums."""
        bands = list(self.header.bands())
        for window in bands if len(bands) > 1 else (None,):
            self.read(window)


@contextmanager
def opened(path: Path) -> Iterator[TiffImage]:
    """Open a TIFF file.

    Errors: `OSError`; `DataError` that names a damaged or unsupported file, also for errors in the
    block.
    """
    from tifffile import TiffFile

    try:
        with TiffFile(path) as file:
            pages = [page for page in _pages(path, file) if not page.subfiletype & SMALLER_OR_MASK]
            if not pages:
                raise DataError(f"{path}: damaged, or no image: no page of full size")
            _require_listed(path, file, pages)
            for number, page in enumerate(pages, 1):
                _require_band(path, page, number, pages)
                # tifffile takes 0 where a positive number is to be one of signed ones.
                page.nodata = _left_out(page)
            yield TiffImage(path, pages)
    except DAMAGED as error:
        raise DataError(f"{path}: damaged, or no image: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(error).removeprefix("<").split("\n")[0] or type(error).__name__


def _pages(path: Path, file: "TiffFile") -> "list[TiffPage]":
    """All pages, also smaller versions and masks. Errors: `DataError` for a circle of pages."""
    pages: list[TiffPage] = []
    offsets: set[int] = set()
    # tifffile itself would follow a page that names itself as the next one for ever.
    for page in file.pages:
        if page.offset in offsets or len(pages) == MOST_PAGES:
            fact = "its pages form a circle" if page.offset in offsets else "pages without end"
            raise DataError(f"{path}: damaged, or no image: {fact}")
        offsets.add(page.offset)
        pages.append(page.aspage())
    return pages


def _require_listed(path: Path, file: "TiffFile", pages: "Sequence[TiffPage]") -> None:
    """Refuse a stack of which the file lists the first page alone, as ImageJ writes large ones."""
    if file.is_imagej or file.is_shaped:
        stacked, listed = file.series[0].size, sum(page.size for page in pages)
        if stacked > listed:
            fact = f"a stack of {stacked // pages[0].size} images, of which {len(pages)} are listed"
            raise DataError(f"{path}: {fact} as pages; save each as a page or a file")


def _header(path: Path, pages: "Sequence[TiffPage]") -> Header:
    first = pages[0]
    photometric = PHOTOMETRIC[int(first.photometric)]
    dtype = np.dtype(first.dtype)
    samples = [int(page.samplesperpixel) for page in pages]
    return Header(
        format="TIFF",
        stored=(first.imagelength, first.imagewidth),
        samples=sum(samples),
        dtype=np.dtype(np.uint8) if dtype.kind == "b" else dtype,
        bits=int(first.bitspersample),
        photometric=photometric,
        alpha=tuple(_alpha(pages)),
        orientation=_orientation(path, first),
        nodata=_nodata(first),
        palette=_palette(first) if photometric is Photometric.PALETTE else None,
        stored_together=max(map(rows_together, pages)),
    )


def _alpha(pages: "Sequence[TiffPage]") -> Iterator[int]:
    """Which samples of all pages are declared as opacity; extra samples are a page's last ones."""
    before = 0
    for page in pages:
        extra = before + int(page.samplesperpixel) - len(page.extrasamples)
        yield from (extra + i for i, kind in enumerate(page.extrasamples) if int(kind) in ALPHA)
        before += int(page.samplesperpixel)


def _orientation(path: Path, page: "TiffPage") -> int:
    tag = page.tags.get(ORIENTATION)
    value = 1 if tag is None else tag.value
    if value not in range(1, 9):
        raise DataError(f"{path}: orientation {value!r}; the tag is a whole number from 1 to 8")
    return int(value)


def _nodata(page: "TiffPage") -> float | None:
    """The number of GDAL's tag, which is text; one that is no number marks nothing."""
    tag = page.tags.get(GDAL_NODATA)
    try:
        return None if tag is None else float(str(tag.value).strip("\0 "))
    except ValueError:
        return None


def _left_out(page: "TiffPage") -> int | float:
    """What the pixels of a part hold that the file leaves out: GDAL's number, or 0."""
    tag, dtype = page.tags.get(GDAL_NODATA), np.dtype(page.dtype)
    try:
        number = Decimal("0" if tag is None else str(tag.value).strip("\0 "))
        if dtype.kind == "f":
            return float(np.clip(float(number), np.finfo(dtype).min, np.finfo(dtype).max))
        # A float would lose digits of 64 bits.
        whole = int(number)
    except (ValueError, ArithmeticError):
        return 0
    limits = np.iinfo(np.uint8 if dtype.kind == "b" else dtype)
    return whole if limits.min <= whole <= limits.max else 0


def _palette(page: "TiffPage") -> npt.NDArray[np.float32]:
    if page.colormap is None:
        raise ValueError("a palette without colours")
    colours = np.asarray(page.colormap, np.float32).T
    # Some writers put 8 bits into the 16 of an entry; libtiff tells them alike.
    return colours / np.float32(255 if colours.max(initial=0) < 256 else 65535)


def _require_band(path: Path, page: "TiffPage", number: int, pages: "Sequence[TiffPage]") -> None:
    """Refuse a page whose values cannot be read, or be channels beside those of the first."""
    first = pages[0]
    _require_interpretation(path, page, number)
    if isinstance(page.bitspersample, tuple):
        depths = ", ".join(map(str, page.bitspersample))
        raise DataError(f"{path}: page {number} has samples of {depths} bits; save all alike")
    if page.dtype is None or np.dtype(page.dtype).kind not in "buif":
        fact = f"page {number} stores {_values(page)}"
        raise DataError(f"{path}: {fact}; save whole or floating point numbers")
    if len(pages) > 1 and page.samplesperpixel - len(page.extrasamples) != 1:
        fact = f"{len(pages)} pages, of which page {number} has {page.samplesperpixel} samples"
        raise DataError(f"{path}: {fact}; pages are channels, so save each page as a file")
    if len(pages) > 1 and page.photometric == PALETTE:
        fact = f"{len(pages)} pages of palettes"
        raise DataError(f"{path}: {fact}; pages are channels, so save each page as a file")
    if _kind(page) != _kind(first):
        fact = f"page {number} is {_shown(page)}, page 1 {_shown(first)}"
        raise DataError(f"{path}: {fact}; pages are channels, of one size and type")


def _require_interpretation(path: Path, page: "TiffPage", number: int) -> None:
    kind = int(page.photometric) if page.photometric is not None else -1
    subsampled = kind == YCBCR and int(page.compression) != JPEG
    inks = page.tags.get(INK_SET)
    other_inks = kind == 5 and inks is not None and inks.value != CMYK_INKS
    if kind not in PHOTOMETRIC or page.imagedepth != 1 or subsampled or other_inks:
        name = getattr(page.photometric, "name", page.photometric)
        raise DataError(f"{path}: page {number} is {name}; save it as grey, palette, RGB or CMYK")


def _kind(page: "TiffPage") -> tuple[object, ...]:
    """What pages must have in common."""
    orientation = page.tags.get(ORIENTATION)
    turned = 1 if orientation is None else orientation.value
    return page.imagelength, page.imagewidth, page.dtype, page.photometric, turned


def _values(page: "TiffPage") -> str:
    return f"{page.dtype or page.sampleformat} numbers of {page.bitspersample} bits"


def _shown(page: "TiffPage") -> str:
    name = getattr(page.photometric, "name", page.photometric)
    return f"{page.imagewidth}x{page.imagelength}, {name}, {_values(page)}"
