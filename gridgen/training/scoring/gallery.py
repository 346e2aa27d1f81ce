"""Pictures of the images that are predicted worst and best, while a split is scored."""

from bisect import insort
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image
from torch import Tensor

from gridgen.data import Sample
from gridgen.training.scoring.per_image import ImageScore, value_of
from gridgen.training.tasks import Task
from gridgen.training.tasks.pixels import Pixels, image_pixels

WIDEST = 480
"""Pixels of a picture's longer side; a larger image is shown smaller."""
EXACT = 160
"""Longest side of pictures that are kept lossless, since a page enlarges them."""


@dataclass(frozen=True)
class Exhibit:
    """One image: WebP of it and of where the prediction is wrong, PNG of truth and prediction."""

    image: ImageScore
    given: bytes
    truth: bytes
    prediction: bytes
    faults: bytes
    size: tuple[int, int]
    """(height, width) of each picture."""

    @property
    def exact(self) -> bool:
        """True where the pictures are so small that single pixels matter."""
        return max(self.size) <= EXACT


@dataclass
class Gallery:
    """The `least` images that are predicted worst and the `most` that are predicted best so far.

    Holds the files of their pictures, so that any split fits into memory.
    """

    least: int = 24
    most: int = 4
    worst: list[Exhibit] = field(default_factory=list)
    best: list[Exhibit] = field(default_factory=list)

    def offer(self, image: ImageScore, sample: Sample, answer: Tensor, task: Task) -> None:
        """Keep the image if it is among them."""
        if image.score is None:
            return
        low = _belongs(self.worst, self.least, value_of(image))
        high = _belongs(self.best, self.most, -value_of(image), sign=-1)
        if not (low or high):
            return
        exhibit = _exhibit(image, sample, answer, task)
        # insort puts equal images behind those that came first, so that the order is the data's.
        if low:
            insort(self.worst, exhibit, key=lambda each: value_of(each.image))
            del self.worst[self.least :]
        if high:
            insort(self.best, exhibit, key=lambda each: -value_of(each.image))
            del self.best[self.most :]

    def apart(self) -> list[Exhibit]:
        """The best that are not among the worst."""
        names = {each.image.name for each in self.worst}
        return [each for each in self.best if each.image.name not in names]


def _belongs(kept: list[Exhibit], room: int, value: float, sign: int = 1) -> bool:
    return len(kept) < room or (room > 0 and value < sign * value_of(kept[-1].image))


def _exhibit(image: ImageScore, sample: Sample, answer: Tensor, task: Task) -> Exhibit:
    label, shown = sample.label, task.masked(answer, sample.label)
    given = image_pixels(sample.image)
    size = _shown_size(image.size)
    resampling = task.label_resampling
    return Exhibit(
        image,
        _webp(_small(given, size, Image.Resampling.LANCZOS)),
        _png(_small(task.pixels(label), size, resampling)),
        _png(_small(task.pixels(shown), size, resampling)),
        _webp(_small(task.faults(given, label, answer), size, resampling)),
        size,
    )


def _shown_size(size: tuple[int, int]) -> tuple[int, int]:
    factor = min(WIDEST / max(size), 1)
    return max(round(size[0] * factor), 1), max(round(size[1] * factor), 1)


def _small(pixels: Pixels, size: tuple[int, int], resampling: Image.Resampling) -> Image.Image:
    picture, (height, width) = Image.fromarray(pixels), size
    return picture.resize((width, height), resampling)


def _webp(picture: Image.Image) -> bytes:
    """Encode as WebP, lossless where the picture is small, and so will be enlarged."""
    written, exact = BytesIO(), max(picture.size) <= EXACT
    picture.save(written, format="WEBP", quality=80, lossless=exact)
    return written.getvalue()


def _png(picture: Image.Image) -> bytes:
    """Encode as PNG, with a palette where colours are few, as those of classes are."""
    written = BytesIO()
    colours = picture.getcolors(256)
    few = picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=256) if colours else picture
    few.save(written, format="PNG", optimize=True)
    return written.getvalue()
