"""Images and labels as pixels: panels in rows with a legend (figure 5), and PNG files."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

Colours = Sequence[Sequence[int]]
Pixels = NDArray[np.uint8]

GAP, LINE, SWATCH = 8, 20, 12
LEAST_WIDTH = 256
LONGEST = 4096
"""Pixels along the longer side of a panel, at most."""


def sheet(
    rows: Sequence[Sequence[Pixels]],
    titles: Sequence[str],
    classes: Sequence[str],
    colours: Colours,
) -> bytes:
    """A PNG: panels in rows, a title above each column, the classes' colours below.

    Panels narrower than 256 pixels are enlarged by a whole factor, so pixels stay pixels.
    """
    pictures = [[_enlarged(panel) for panel in row] for row in rows]
    widths = [max(row[i].width for row in pictures) for i in range(len(titles))]
    heights = [max(picture.height for picture in row) for row in pictures]
    legend = _legend(classes, colours, sum(widths) + GAP * (len(widths) + 1))
    height = LINE + sum(heights) + GAP * (len(rows) + 1) + legend.height
    page = Image.new("RGB", (legend.width, height), "white")
    # The font inside Pillow is the only one that every machine has.
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=13)
    lefts = [GAP + sum(widths[:i]) + GAP * i for i in range(len(widths))]
    for left, title in zip(lefts, titles, strict=True):
        pen.text((left, 3), title, fill="#333333", font=font)
    top = LINE + GAP // 2
    for row, tallest in zip(pictures, heights, strict=True):
        for left, picture in zip(lefts, row, strict=True):
            page.paste(picture, (left, top))
        top += tallest + GAP
    page.paste(legend, (0, top))
    return encoded(page)


def encoded(picture: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """A Pillow image as the bytes of a file; `options` are the format's."""
    written = BytesIO()
    picture.save(written, form, **options)
    return written.getvalue()


def thinned(values: Tensor) -> Tensor:
    """Every n-th row and column, so many that neither side of (..., H, W) exceeds `LONGEST`.

    A view: pictures of a very large image take no memory for its other pixels.
    """
    step = thinning((values.shape[-2], values.shape[-1]))
    return values[..., ::step, ::step]


def thinning(size: tuple[int, int]) -> int:
    """How many rows and columns of an image of (height, width) stand for one in a picture."""
    return -(-max(size) // LONGEST)


def image_pixels(image: Tensor) -> Pixels:
    """(C, H, W) in [0, 1] -> (H, W, 3) in 0..255; three channels, or the first in grey."""
    shown = image[:3] if image.shape[0] >= 3 else image[:1].expand(3, -1, -1)
    pixels: Pixels = (shown.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return pixels


def label_pixels(label: Tensor, colours: Colours) -> Pixels:
    """Class ids (H, W) -> colours (H, W, 3); what is ignored is black."""
    table = np.zeros((256, 3), np.uint8)
    table[: len(colours)] = np.asarray(colours, np.uint8)
    return table[label.numpy().astype(np.uint8)]


def _enlarged(pixels: Pixels) -> Image.Image:
    picture = Image.fromarray(pixels)
    factor = -(-LEAST_WIDTH // picture.width)
    size = (picture.width * factor, picture.height * factor)
    return picture.resize(size, Image.Resampling.NEAREST) if factor > 1 else picture


def _legend(classes: Sequence[str], colours: Colours, width: int) -> Image.Image:
    """Swatches with names, wrapped to `width`."""
    font = ImageFont.load_default(size=13)
    places, left, top = [], GAP, 0
    for name in classes:
        needed = SWATCH + 4 + int(font.getlength(name)) + 2 * GAP
        if left + needed > width and left > GAP:
            left, top = GAP, top + LINE
        places.append((left, top))
        left += needed
    width = max(width, left)
    legend = Image.new("RGB", (width, top + LINE + 2), "white")
    pen = ImageDraw.Draw(legend)
    for (x, y), name, colour in zip(places, classes, colours, strict=True):
        box = (x, y + 4, x + SWATCH, y + 4 + SWATCH)
        pen.rectangle(box, fill=tuple(colour), outline="#333333")
        pen.text((x + SWATCH + 4, y + 2), name, fill="#333333", font=font)
    return legend
