"""PNG files of 16 bits and several channels, of which Pillow keeps the upper 8."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

# How Pillow unpacks such a file, and how it must be told to, so that it keeps the lower bytes.
LOWER = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}
# Grey and alpha have four bytes a pixel, as have red, green, blue and alpha of 8 bits.
GREY = {"LA;16B": "RGBA"}


def unpacking(image: Image.Image) -> str:
    """How Pillow unpacks the pixels of a PNG that is open; empty for another file."""
    tiles = getattr(image, "tile", ())
    return str(tiles[0][3]) if image.format == "PNG" and tiles else ""


def is_deep_colour(image: Image.Image) -> bool:
    """Whether it is red, green and blue of 16 bits, with alpha or not."""
    return unpacking(image) in LOWER


def is_deep_grey(image: Image.Image) -> bool:
    """Whether it is grey of 16 bits with alpha."""
    return unpacking(image) in GREY


def read_deep(path: str | Path) -> npt.NDArray[np.uint16]:
    """(H, W, 3), or (H, W, 1) of grey: all 16 bits, alpha dropped."""
    with Image.open(path, formats=["PNG"]) as image:
        if is_deep_grey(image):
            return _joined(*np.moveaxis(_unpacked(image, GREY), 2, 0)[:2])[..., None]
        upper = np.asarray(image)[..., :3]
    with Image.open(path, formats=["PNG"]) as image:
        return _joined(upper, _unpacked(image, LOWER)[..., :3])


def _unpacked(image: Image.Image, instead: dict[str, str]) -> npt.NDArray[np.uint8]:
    """The bytes that Pillow keeps where it unpacks another way."""
    way = instead[unpacking(image)]
    image.tile = [tile._replace(args=way) for tile in image.tile]  # type: ignore[attr-defined]
    return np.asarray(image)


def _joined(upper: npt.NDArray[np.uint8], lower: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    joined: npt.NDArray[np.uint16] = upper.astype(np.uint16) * 256 + lower
    return joined
