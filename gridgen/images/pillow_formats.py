"""PNG, JPEG, WebP and BMP files, read by Pillow, or by imagecodecs where Pillow would lose bits."""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import IO

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from gridgen.arguments import PathLike
from gridgen.errors import DataError
from gridgen.images.header import Header, Photometric, Samples, Window

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
# Formats that tell a file that was cut off without decoding its pixels.
SELF_CHECKING = ("PNG", "WEBP")
# What Pillow raises on a file that is damaged.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, TypeError, RuntimeError, struct.error)
ORIENTATION = 0x0112

# By Pillow's mode: bits of a sample, what samples mean, and which are alpha.
MODES = {
    "1": (1, Photometric.BLACK_IS_ZERO, ()),
    "L": (8, Photometric.BLACK_IS_ZERO, ()),
    "LA": (8, Photometric.BLACK_IS_ZERO, (1,)),
    "P": (8, Photometric.PALETTE, ()),
    "RGB": (8, Photometric.RGB, ()),
    "RGBA": (8, Photometric.RGB, (3,)),
    "CMYK": (8, Photometric.CMYK, ()),
    "I;16": (16, Photometric.BLACK_IS_ZERO, ()),
    # Of images that are made, not of files in these formats.
    "I;16B": (16, Photometric.BLACK_IS_ZERO, ()),
    "I": (32, Photometric.BLACK_IS_ZERO, ()),
    "F": (32, Photometric.BLACK_IS_ZERO, ()),
}
DTYPES = {"I": np.int32, "F": np.float32}
# How Pillow unpacks PNG files of 8 bits without a palette.
EIGHT_BITS = ("L", "LA", "RGB", "RGBA")
# What Pillow multiplies the samples of grey PNG files of 2 and 4 bits by.
SPREAD = {2: 85, 4: 17}
_opening = Lock()


class PillowImage:
    """An open image of one page."""

    def __init__(self, path: PathLike, image: Image.Image) -> None:
        self._image = image
        # Known before pixels are decoded, which makes Pillow forget it.
        self._codec = _codec(path, image)
        self.header = _header(path, image)

    def read(self, window: Window | None = None) -> Samples:
        """The samples as they are stored: (rows, columns, samples), cut after all are decoded."""
        values = np.asarray(self._image) if self._codec is None else self._decoded(self._codec)
        values = _numbers(values, self.header)
        return values if window is None else values[window.rows, window.columns]

    def verify(self) -> None:
        """Compare checksums, or decode everything where the format has none."""
        if self.header.format in SELF_CHECKING:
            self._image.verify()
        else:
            self._image.load()

    def _decoded(self, codec: Callable[[bytes], Samples]) -> Samples:
        # Its file is open for as long as pixels are not decoded, whether it has a name or not.
        file: IO[bytes] = getattr(self._image, "fp")  # noqa: B009
        file.seek(0)
        values = codec(file.read())
        # A colour of 16 bits that stands for opacity becomes a sample of its own.
        return values if values.ndim == 2 else values[..., : self.header.samples]


def _codec(path: PathLike, image: Image.Image) -> Callable[[bytes], Samples] | None:
    """What decodes an open file in place of Pillow, which keeps the upper 8 bits alone of PNGs of
    16 bits and several samples, takes twice the time for simple ones, and reads the bytes of a BMP
    whose palette is black and white as bits.

    Errors: `DataError`.
    """
    if _unpacking(image).endswith(";16B") or _is_simple(image):
        return _png_samples
    bits = _bmp_bits(image) if image.mode in ("1", "L") else None
    if bits is None or bits == MODES[image.mode][0]:
        return None
    if bits != 8:
        raise DataError(f"{path}: a BMP of {bits} bits with a grey palette; save it as PNG")
    return _bmp_samples


def _png_samples(file: bytes) -> Samples:
    from imagecodecs import png_decode  # late, as headers need none of it

    return png_decode(file)


def _bmp_samples(file: bytes) -> Samples:
    from imagecodecs import bmp_decode

    return bmp_decode(file, asrgb=False)


def _bmp_bits(image: Image.Image) -> int | None:
    """Bits of a pixel of an open BMP; None for another file."""
    file: IO[bytes] | None = getattr(image, "fp", None)
    if file is None or image.format != "BMP":
        return None
    file.seek(14)
    (length,) = struct.unpack("<I", file.read(4))
    # The oldest header, of 12 bytes, has sides of 16 bits.
    file.seek(24 if length == 12 else 28)
    return int(struct.unpack("<H", file.read(2))[0])


@contextmanager
def opened(path: Path) -> Iterator[PillowImage]:
    """Open an image file.

    Errors: `OSError` of the file system; `DataError` that names a damaged or unsupported file,
    also for errors in the block.
    """
    with _reading(path), _opened(path) as image:
        if (pages := getattr(image, "n_frames", 1)) > 1 and image.format in FORMATS:
            raise DataError(f"{path}: {pages} pages; save each as a file of its own")
        yield PillowImage(path, image)


def samples_of(image: Image.Image, name: object) -> tuple[Header, Samples]:
    """What an image of Pillow holds that a user has opened or made. Errors: `DataError`."""
    with _reading(name):
        if image.mode not in MODES:
            image = image.convert("RGBA" if image.mode == "PA" else "RGB")
        held = PillowImage(getattr(image, "filename", ""), image)
        return held.header, held.read()


@contextmanager
def _reading(path: object) -> Iterator[None]:
    """Turn errors of a damaged file in the block into `DataError`."""
    try:
        yield
    except UnidentifiedImageError as error:
        fact = "damaged, or no image: its header cannot be read"
        raise DataError(f"{path}: {fact}") from error
    except DAMAGED as error:
        if isinstance(error, OSError) and error.strerror:
            raise
        raise DataError(f"{path}: damaged, or no image: {error}") from error


def _opened(path: Path) -> Image.Image:
    """Pillow's image, of any size: how large a file may be is asked once for all formats."""
    with _opening:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(path, formats=FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _header(path: PathLike, image: Image.Image) -> Header:
    if image.mode not in MODES:
        raise DataError(f"{path}: pixels of mode {image.mode}; save it as grey, palette or RGB")
    unpacking = _unpacking(image)
    # Grey with alpha, of 16 bits each, has four bytes a pixel: Pillow calls it RGBA.
    mode = "LA" if unpacking.startswith("LA") else image.mode
    bits, photometric, alpha = MODES[mode]
    if unpacking.endswith(";16B"):
        bits = 16
    elif image.format == "PNG" and unpacking[-2:] in (";1", ";2", ";4"):
        bits = int(unpacking[-1])
    width, height = image.size
    return Header(
        format="JPEG" if image.format == "MPO" else str(image.format),
        stored=(height, width),
        samples=Image.getmodebands(mode),
        dtype=np.dtype(DTYPES.get(image.mode, np.uint16 if bits == 16 else np.uint8)),
        bits=bits,
        photometric=photometric,
        alpha=alpha,
        orientation=_orientation(image),
        palette=_palette(image) if photometric is Photometric.PALETTE else None,
    )


def _unpacking(image: Image.Image) -> str:
    """How Pillow unpacks the pixels of an open PNG, such as `L;2`; "" for another file."""
    tiles = getattr(image, "tile", ())
    return str(tiles[0][3]) if image.format == "PNG" and tiles else ""


def _is_simple(image: Image.Image) -> bool:
    """Whether an open PNG is a single picture of 8 bits, and no colour of it stands for opacity,
    of which the codec would make a sample.
    """
    single = getattr(image, "n_frames", 1) == 1
    return single and _unpacking(image) in EIGHT_BITS and "transparency" not in image.info


def _orientation(image: Image.Image) -> int:
    """The tag of any format; a value that Exif does not know is passed over, as viewers do."""
    if image.format == "PNG" and (found := _exif_chunk(image)):
        image.info["exif"] = found
    tag = 1
    # Of a PNG, the method of its own class would decode all pixels to look behind them. Exif that
    # is none is passed over, as viewers do; of a JPEG, Pillow does that itself.
    with suppress(SyntaxError, struct.error):
        tag = Image.Image.getexif(image).get(ORIENTATION, 1)
    return tag if tag in range(1, 9) else 1


def _exif_chunk(image: Image.Image) -> bytes | None:
    """What the chunk eXIf of a PNG file holds, before its pixels or behind them.

    Once its pixels are decoded, Pillow itself knows, and the file is closed.
    """
    file: IO[bytes] | None = getattr(image, "fp", None)
    if file is None:
        return None
    before = file.tell()
    try:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == b"eXIf":
                return file.read(length)
            file.seek(length + 4, 1)
        return None
    finally:
        file.seek(before)


def _palette(image: Image.Image) -> npt.NDArray[np.float32]:
    # Asked for its palette, Pillow decodes all pixels, and then verifies no file.
    small = Image.new("P", (1, 1))
    if image.palette is not None:
        small.putpalette(image.palette.getdata()[1], image.palette.getdata()[0])
    colours = np.array(small.getpalette("RGB") or [], np.float32).reshape(-1, 3)
    return colours / np.float32(255)


def _numbers(values: Samples, header: Header) -> Samples:
    """(H, W, samples) as they are stored, of the values that Pillow made of them."""
    if values.dtype == np.bool_:
        values = values.astype(np.uint8)
    elif header.photometric is Photometric.BLACK_IS_ZERO and header.bits in SPREAD:
        values = values // np.uint8(SPREAD[header.bits])
    values = values.astype(header.dtype, copy=False)
    return values[..., None] if values.ndim == 2 else values
