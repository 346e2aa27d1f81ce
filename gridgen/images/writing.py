"""Writing images: PNG for grey and colour, TIFF for any number of channels."""

from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import torch

from gridgen.arguments import PathLike, checked
from gridgen.errors import DataError
from gridgen.files import write_file
from gridgen.images.arrays import require_values

Values = npt.NDArray[np.unsignedinteger[Any]]

DEPTHS = {8: np.uint8, 16: np.uint16}
LevelsTensor = Annotated[torch.Tensor, "a tensor (C, H, W) of levels from 0 to 1"]


@checked
def write_image(path: PathLike, image: LevelsTensor, *, bits: int = 8) -> Path:
    """Write levels from 0 to 1, (channels, H, W), as whole numbers of 8 or 16 bits.

    PNG holds 1 or 3 channels, TIFF any number, compressed without loss. Levels are rounded; 1
    becomes 255 or 65535. Errors: `DataError` for another ending, shape or depth, and for levels
    that would be rounded to less than 0 or more than that; `FileError`.

    >>> import tempfile
    >>> write_image(tempfile.mkdtemp() + "/grey.png", torch.ones(1, 2, 3)).name
    'grey.png'
    """
    path = Path(path)
    if path.suffix.lower() not in WRITERS:
        raise DataError(f"{path}: images are written as {' or '.join(WRITERS)}; name it so")
    return write_file(path, encode(image, bits, path.suffix.lower()))


def encode(image: torch.Tensor, bits: int, suffix: str) -> bytes:
    """The content of a file with that suffix. Errors: `DataError`."""
    if bits not in DEPTHS:
        raise DataError(f"bits: {bits} are not written; choose 8 or 16")
    if image.dim() != 3 or not image.numel() or not image.is_floating_point():
        shape = " x ".join(map(str, image.shape)) or "one value"
        fact = f"{shape} of {str(image.dtype).removeprefix('torch.')}"
        raise DataError(f"{fact} is no image; give levels from 0 to 1, (channels, H, W)")
    require_values(image)
    if not image.isfinite().all():
        raise DataError("an image of numbers that are not finite; nothing is written for NaN")
    levels = image.detach().cpu().double().permute(1, 2, 0).numpy()
    numbers = np.rint(levels * (2**bits - 1))
    if numbers.min() < 0 or numbers.max() > 2**bits - 1:
        fact = f"levels from {levels.min():g} to {levels.max():g}"
        raise DataError(f"{fact}; give them from 0 to 1, as image.clamp(0, 1) does")
    return WRITERS[suffix](numbers.astype(DEPTHS[bits]))


def _png(values: Values) -> bytes:
    from imagecodecs import png_encode

    if values.shape[2] not in (1, 3):
        fact = f"{values.shape[2]} channels do not fit into a PNG"
        raise DataError(f"{fact}, which holds grey or RGB; write a TIFF")
    return bytes(png_encode(np.ascontiguousarray(values)))


def _tiff(values: Values) -> bytes:
    from tifffile import imwrite

    channels, written = values.shape[2], BytesIO()
    imwrite(
        written,
        values if channels > 1 else values[..., 0],
        photometric="rgb" if channels == 3 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        compression="zlib",
        metadata=None,
    )
    return written.getvalue()


WRITERS = {".png": _png, ".tif": _tiff, ".tiff": _tiff}
"""Encoders of (H, W, channels) by the ending of a file's name."""
