"""Pictures of a training: the curve, and images beside what was predicted (figure 5)."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gridgen.data import IGNORE, Dataset
from gridgen.emit import GridNetwork
from gridgen.files import write_file
from gridgen.training.run import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Colours = Sequence[Sequence[int]]
Pixels = NDArray[np.uint8]

GAP, LINE, SWATCH = 8, 20, 12
LEAST_WIDTH = 256
SHOWN = 6


def draw_curve(rows: Sequence[Row], path: Path) -> None:
    """Loss, and IoU on train and val, against the epoch."""
    from matplotlib.figure import Figure  # half a second that nothing else needs

    epochs = [row["epoch"] for row in rows]
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(epochs, [row["loss"] for row in rows], color="#333333", marker=".")
    left.set(title="training loss", xlabel="epoch", ylim=(0, None))
    right.plot(
        epochs, [row["train_iou"] for row in rows], color="#8a8a8a", marker=".", label="train"
    )
    right.plot(epochs, [row["val_iou"] for row in rows], color="#4f9d3a", marker=".", label="val")
    right.set(title="mean IoU", xlabel="epoch", ylim=(0, 1))
    right.legend(frameon=False)
    for axis in (left, right):
        axis.grid(alpha=0.3)
    save_figure(figure, path)


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a matplotlib figure as PNG."""
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=130)
    write_file(path, drawn.getvalue())


@torch.no_grad()
def draw_predictions(
    network: GridNetwork, dataset: Dataset, device: torch.device, path: Path
) -> None:
    """Image, truth and prediction side by side, for the first few images of `dataset`."""
    network.eval()
    rows = []
    for index in range(min(len(dataset), SHOWN)):
        sample = dataset[index]
        predicted = network(sample.image[None].to(device)).argmax(1)[0].cpu()
        predicted = predicted.masked_fill(sample.label == IGNORE, IGNORE)
        panels = [image_pixels(sample.image)]
        panels += [label_pixels(label, dataset.colours) for label in (sample.label, predicted)]
        rows.append(panels)
    titles = ("image", "truth", "prediction")
    write_file(path, sheet(rows, titles, dataset.classes, dataset.colours))


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
    width = legend.width
    page = Image.new(
        "RGB", (width, LINE + sum(heights) + GAP * (len(rows) + 1) + legend.height), "white"
    )
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=13)
    lefts = [GAP + sum(widths[:i]) + GAP * i for i in range(len(widths))]
    for left, title in zip(lefts, titles, strict=True):
        pen.text((left, 3), title, fill="#333333", font=font)
    top = LINE + GAP // 2
    for row, height in zip(pictures, heights, strict=True):
        for left, picture in zip(lefts, row, strict=True):
            page.paste(picture, (left, top))
        top += height + GAP
    page.paste(legend, (0, top))
    return png(page)


def png(picture: Image.Image) -> bytes:
    """A Pillow image as the bytes of a PNG file."""
    written = BytesIO()
    picture.save(written, format="PNG")
    return written.getvalue()


def image_pixels(image: Tensor) -> Pixels:
    """(C, H, W) in [0, 1] -> (H, W, 3) in 0..255; the first three channels, or grey."""
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
