"""Reading image files: images from 0 to 1, and labels whose pixels are ids.

Says nothing of which file belongs to which: see `gridgen.data.folder`.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from gridgen.arguments import PathLike, checked
from gridgen.errors import DataError, UsageError, reason_of
from gridgen.files import require_file
from gridgen.images import pillow_formats, tiff
from gridgen.images.counted import counted_ranges, is_countable
from gridgen.images.header import Header, Samples, Window
from gridgen.images.rules import (
    DecodedImage,
    IdArray,
    Ranges,
    decoding_bytes,
    of_channels,
    pixels_of,
    ranges_of,
    upright_samples,
    white_of,
)
from gridgen.images.scale import FILE_SCALE, PixelScale
from gridgen.memory.host import host_memory
from gridgen.text import bytes_text

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
LABEL_SUFFIXES = (".png", ".bmp", ".tif", ".tiff")
# What files of those formats begin with.
SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"BM", *tiff.MAGIC)
COPIES = 4
"""How often stored samples are in memory at most while a file is decoded, about as measured."""
LIMIT = "GRIDGEN_IMAGE_MEMORY"
"""Environment variable: gigabytes of memory for one image, alone or with its prediction."""


class ImageFile(Protocol):
    """An open file, of any format."""

    header: Header

    def read(self, window: Window | None = None) -> Samples:
        """The samples as they are stored; a window is one of the stored rows and columns."""

    def verify(self) -> None:
        """Raise if the file is damaged, as cheaply as its format allows."""


@contextmanager
def opened(path: PathLike) -> Iterator[ImageFile]:
    """Open an image file. Errors: `DataError`, in the block too."""
    path = Path(path)
    try:
        magic = _magic(path)
        kind = tiff if magic in tiff.MAGIC else pillow_formats
        with kind.opened(path) as file:
            yield file
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {reason_of(error)}") from error


def _magic(path: Path) -> bytes:
    """The first bytes of an image file. Errors: `OSError`, `DataError`."""
    require_file(path)
    with open(path, "rb") as file:
        magic = file.read(4)
    if not magic:
        raise DataError(f"{path}: the file is empty")
    if not magic.startswith(SIGNATURES):
        raise DataError(f"{path}: not a PNG, JPEG, WebP, BMP or TIFF image")
    return magic


def _require_memory(path: PathLike, header: Header, window: Window | None = None) -> None:
    """Refuse pixels that would take half of the memory: all, or the rows that a window touches.

    Errors: `DataError`.
    """
    rows, columns = header.stored
    if window is not None:
        together = header.rows_at_once
        first, last = window.top // together, -(-window.rows.stop // together)
        rows = min((last - first) * together, rows)
    needed = COPIES * header.samples * header.dtype.itemsize + decoding_bytes(header)
    require_memory_for(path, f"{columns}x{rows} pixels", rows * columns * needed)


def require_memory_for(path: PathLike, what: str, needed: int) -> None:
    """Refuse what an image would need of memory beyond what one may take. Errors: `DataError`."""
    if needed > (limit := image_memory()):
        fact = f"{what} need {bytes_text(needed)} of memory, and {bytes_text(limit)} are allowed"
        raise DataError(f"{path}: {fact}; set {LIMIT} to more gigabytes")


def image_memory() -> int:
    """Bytes that one image may take: of `LIMIT`, or half of the machine's memory.

    Errors: `UsageError` for a value that is no number.
    """
    given = os.environ.get(LIMIT)
    if not given:
        return _half_of_memory()
    try:
        allowed = int(float(given) * 10**9)
    except (ValueError, OverflowError):
        allowed = 0
    if allowed <= 0:
        # It is no fault of an image, whose faults others collect.
        raise UsageError(f"{LIMIT}: {given!r} is not a number of gigabytes, such as 8")
    return allowed


@cache
def _half_of_memory() -> int:
    """Asked once, since the answer is in several files and each image wants it."""
    return host_memory() // 2


@checked
def read_image(
    path: PathLike,
    channels: int | None = None,
    *,
    white: float | None = None,
    black: float | None = None,
    nodata: float | None = None,
) -> torch.Tensor:
    """The image in a PNG, JPEG, WebP, BMP or TIFF file: float32 (channels, H, W) from 0 to 1.

    As a training sees it: upright, without alpha, white at 1. Grey is repeated for 3 `channels`,
    and RGB becomes luma (ITU-R 601) for 1; any other number must be the file's own, which None
    stands for. Numbers whose greatest value is known, 8 bits and colours among them, are divided by
    it; others by `white`, less `black`, and clamped. Without `white`, each channel is stretched
    from its 1st to its 99.8th percentile in the file. Pixels without a value (NaN, `nodata`, or
    what GDAL's tag names) are 0 and have no part in that. Errors: `DataError` that names the file.
    """
    return read_pixels(path, channels, PixelScale(white, black, nodata)).levels


@checked
def read_label(path: PathLike) -> torch.Tensor:
    """The ids that a grey or palette PNG, BMP or TIFF file stores: int64 (H, W), upright.

    Errors: `DataError` that names the file.
    """
    ids = read_ids(path)
    if ids.max(initial=0) > np.iinfo(np.int64).max:
        raise DataError(f"{path}: id {ids.max()} does not fit into 64 bits with a sign")
    return torch.from_numpy(ids.astype(np.int64))


def read_pixels(
    path: PathLike,
    channels: int | None = None,
    scale: PixelScale = FILE_SCALE,
    window: Window | None = None,
) -> DecodedImage:
    """The image in a file, or in its part `window`, which costs less than the whole.

    Errors: `DataError` that names the file.
    """
    with opened(path) as file:
        header = file.header
        _require_memory(path, header, window)
        wanted = channels or header.channels
        require_channels(path, header.channels, wanted)
        alone, ranges = header.orientation == 1, None
        if window and white_of(header, scale) is None:
            # Values are stretched by all that the file holds, which is looked at once.
            ranges = _ranges(Path(path), os.stat(path).st_mtime_ns, scale)
        found = pixels_of(header, file.read(window if alone else None), scale, ranges)
    found = replace(found, levels=of_channels(found.levels, wanted))
    if window is None:
        return found
    found = found if alone else _part(found, window)
    _require_side(path, found.levels.shape[1:], window)
    return found


@lru_cache(maxsize=10_000)
def _ranges(path: Path, changed: int, scale: PixelScale) -> Ranges:
    """The ranges of a file as it was at that time. Errors: `DataError`."""
    with opened(path) as file:
        header = file.header
        bands = list(header.bands())
        if len(bands) > 1 and is_countable(header):
            return counted_ranges(header, map(file.read, bands), scale)
        _require_memory(path, header)
        return ranges_of(header, file.read(), scale)


def read_ids(path: PathLike, window: Window | None = None) -> IdArray:
    """The ids in a label file, or in its part `window`: (H, W). Errors: `DataError`."""
    _, samples = read_samples(path, window)
    if samples.shape[2] != 1 or samples.dtype.kind == "f":
        fact = f"{path}: a label of {channel_text(samples.shape[2])} of {samples.dtype}"
        fix = "save ids as a grey or palette PNG or TIFF of whole numbers"
        if samples.shape[2] == 3 and samples.dtype == np.uint8:
            fix += ", or read it in a dataset's folder, where classes.txt lists the colours"
        raise DataError(f"{fact}; {fix}")
    ids: IdArray = samples[..., 0]
    return ids


def read_samples(path: PathLike, window: Window | None = None) -> tuple[Header, Samples]:
    """The header, and what is stored, upright and without alpha, or its part `window`.

    The latter is (H, W, samples), whatever it means as brightness or colour. Errors: `DataError`.
    """
    with opened(path) as file:
        header = file.header
        _require_memory(path, header, window)
        alone = header.orientation == 1
        samples = upright_samples(header, file.read(window if alone else None))
    if window is None:
        return header, samples
    samples = samples if alone else samples[window.rows, window.columns]
    _require_side(path, samples.shape[:2], window)
    return header, samples


def _require_side(path: PathLike, size: Sequence[int], window: Window) -> None:
    """Refuse values that end before the window does. Errors: `DataError`."""
    if tuple(size) != (window.height, window.width):
        raise DataError(f"{path}: has become smaller since the dataset was opened; put it back")


def require_channels(path: PathLike, found: int, wanted: int) -> None:
    """Refuse channels that cannot be converted; only grey and RGB become each other."""
    if found != wanted and {found, wanted} != {1, 3}:
        raise DataError(f"{path}: {channel_text(found)}, but {wanted} are wanted")


def channel_text(number: int) -> str:
    """`1 channel`, `2 channels`."""
    return f"{number} channel{'s' * (number != 1)}"


def _part(whole: DecodedImage, window: Window) -> DecodedImage:
    rows, columns = window.rows, window.columns
    valid = None if whole.valid is None else whole.valid[rows, columns]
    return replace(whole, levels=whole.levels[:, rows, columns], valid=valid)


def read_header(path: PathLike) -> Header:
    """The header of an image file. Decodes no pixels. Errors: `DataError`."""
    with opened(path) as file:
        return file.header


def inspect_image(path: PathLike, *, in_bands: bool = False) -> Header:
    """The header of an image file, once the file is known to be whole.

    Decodes no pixels if the format has checksums. Of an image that is to be read in bands,
    memory has to hold one of them alone. Errors: `DataError`.
    """
    with opened(path) as file:
        header = file.header
        _require_memory(path, header, next(header.bands()) if in_bands else None)
        file.verify()
        return header
