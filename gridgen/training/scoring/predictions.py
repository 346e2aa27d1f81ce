"""Predictions on image files: what a trained network sees, as pictures and as files."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch

from gridgen.arguments import PathLike, checked
from gridgen.data import Dataset
from gridgen.data.folder.dataset import channels_of, check_images, pixels_in
from gridgen.errors import DataError, GridgenError, SizeError
from gridgen.files import write_file
from gridgen.images.files import require_channels, require_memory_for
from gridgen.images.header import Header, Window
from gridgen.images.rows import ImageRows
from gridgen.images.scale import PixelScale
from gridgen.progress import OnProgress, no_progress
from gridgen.training.bands import rows_held
from gridgen.training.inference import Inference, InferenceLike
from gridgen.training.processes import devices
from gridgen.training.run.ensemble import ModelLike, as_model
from gridgen.training.run.model import Model
from gridgen.training.scoring.image_files import Found, find_images, require_apart
from gridgen.training.scoring.per_image import Predictor
from gridgen.training.tasks import Task, task_of
from gridgen.training.tasks.pixels import image_pixels, sheet, thinned, thinning
from gridgen.training.tasks.requirements import (
    require_image,
    require_inference,
)
from gridgen.training.windows import windows_of

FAULTS_SHOWN = 5
"""Images in a message that cannot be predicted."""
IMAGES_DRAWN = 6
"""Images of a dataset that are drawn beside their truth."""


@dataclass(frozen=True)
class Prediction:
    """Files written for one image: `picture` (image | prediction), and `answer`, whose pixels are
    class ids or a restored image, as the network was trained for.
    """

    picture: Path
    answer: Path

    @property
    def files(self) -> list[Path]:
        """The two files."""
        return [self.picture, self.answer]

    @classmethod
    def of(cls, out: Path, name: str, task: Task, outputs: int) -> "Prediction":
        """The files of the image called `name`, which may begin with folders."""
        return cls(out / f"{name}.png", out / f"{name}_{task.ending}{task.suffix(outputs)}")


Images = Annotated[
    PathLike | Sequence[PathLike], "paths of images and folders; model(array) answers an array"
]


@checked
def predict(
    model: ModelLike,
    images: Images,
    out: PathLike,
    *,
    device: str = "auto",
    inference: InferenceLike | None = None,
    on_progress: OnProgress = no_progress,
) -> list[Prediction]:
    """Predict `images`, files and folders, with an opened model, a run or a weights file, or by the
    mean of several.

    An image in memory is predicted by the model itself: `open_model(path)(array)`.

    Two files for each: `NAME.png` in `out` shows image and prediction side by side (figure 5), with
    every n-th pixel where the image is larger than 4096. `NAME_labels.png` is the label itself:
    pixel value = class id, with the colours as its palette, and 255 where the image has no value.
    Of a network that restores images, `NAME_restored.png` is the image, a `.tif` where it has other
    than 1 or 3 channels, of 16 bits where the image's file has more than 8. All lie upright. Of a
    folder all images are taken, those in folders below too; their files lie in `out` as the images
    lie in the folder. Where an image of several channels has a file for each, named NAME_0000,
    NAME_0001 ... as nnU-Net does, they are put together, and NAME is the image's.

    All files are checked to be whole, and of a size that fits, before the first one is written. A
    warning tells of images whose channels are converted, grey to colour or colour to grey.
    `on_progress` is called for each image that is checked, and for each window that is predicted.
    With `inference`, another one than training validated by; without, that one in fp32. Errors:
    `DataError`, `SizeError`, `SpecError`, `RunError`, `WeightsError`; `DeviceError` under torchrun.
    """
    devices.require_alone("predicts images")
    model = as_model(model)
    chosen = devices.choose_device(device)
    inference = model.chosen_inference(inference, chosen)
    spec, out = model.network.grid.spec, Path(out)
    for each in model.specs:
        require_inference(inference, each, model.task)
    given = [images] if isinstance(images, str | os.PathLike) else images
    found = find_images(given, out, spec.in_channels)
    files = [Prediction.of(out, image.name, model.task, spec.classes) for image in found]
    read = [path for image in found for path in image.files]
    require_apart(read, [file for each in files for file in each.files])
    headers = _inspected(found, model, inference, on_progress)
    _warn_of_conversions(found, headers, spec.in_channels)
    predictor = Predictor(model.network.to(chosen), chosen, inference)
    done, windows = len(found), [windows_of(inference, each.size, spec) for each in headers]
    total = done + sum(windows)
    for image, header, written, number in zip(found, headers, files, windows, strict=True):
        _predict(predictor, model, image, header, written, _beyond(done, total, on_progress))
        done += number
    return files


def _beyond(before: int, total: int, on_progress: OnProgress) -> OnProgress:
    """Progress within a part of the work, as progress of the whole."""
    return lambda done, _: on_progress(before + done, total)


def _inspected(
    images: Sequence[Found], model: Model, inference: Inference, on_progress: OnProgress
) -> list[Header]:
    """The headers of files that are whole and fit. Errors: `DataError`, `SizeError`."""
    spec, headers = model.network.grid.spec, list[Header]()
    faults: list[DataError | SizeError] = []
    for number, image in enumerate(images, 1):
        path = image.path
        try:
            header = check_images(image.files, in_bands=inference.window is not None)
            require_channels(path, channels_of(image.files), spec.in_channels)
            for each in model.specs:
                require_image(inference, each, header.size, str(path))
            _require_memory(path, header, model, inference)
            headers.append(header)
        except (DataError, SizeError) as fault:
            faults.append(fault)
        on_progress(number, 2 * len(images))
    if faults:
        raise _together(faults)
    return headers


def _require_memory(path: Path, header: Header, model: Model, inference: Inference) -> None:
    """Refuse an image that does not fit into memory beside its prediction. Errors: `DataError`."""
    (height, width), spec = header.size, model.network.grid.spec
    summed = rows_held(inference, header.size, spec)
    read = min(summed + header.rows_at_once - 1, height)
    # As `infer_bands` has it: levels, and sums of the outputs and of what each window counts.
    needed = 4 * width * (read * spec.in_channels + summed * (spec.classes + 1))
    needed *= len(model.networks)
    # Ids of a byte, which are copied as they are encoded, or a restored image in fp32.
    needed += 4 * width * height * (1 if model.task.classes else spec.classes)
    require_memory_for(path, f"{width}x{height} pixels and their prediction", needed)


def _warn_of_conversions(images: Sequence[Found], headers: Sequence[Header], channels: int) -> None:
    """Tell in one line of images that have other channels than the network takes."""
    others = [
        image.path
        for image, each in zip(images, headers, strict=True)
        if len(image.files) == 1 and each.channels != channels
    ]
    if others:
        change = "from grey to colour" if channels == 3 else "from colour to grey"
        fact = f"{len(others):,} of {len(images):,} images converted {change}"
        warnings.warn(f"{fact}, which the network takes, such as {others[0]}", stacklevel=4)


def _predict(
    predictor: Predictor,
    model: Model,
    image: Found,
    header: Header,
    written: Prediction,
    on_progress: OnProgress,
) -> None:
    task, step = model.task, thinning(header.size)
    rows = FileRows(image.files, header, model.network.grid.spec.in_channels, model.scale)
    answer, pictures = torch.zeros(0), []
    for band in predictor.bands(rows, str(image.path), on_progress):
        found = task.answer(band.prediction)
        if band.image.valid is not None:
            found = task.blanked(found, band.image.valid)
        if not len(answer):
            # An id takes eight bytes; in the file it has one.
            kind = found.dtype if found.is_floating_point() else torch.uint8
            answer = torch.empty(*found.shape[:-2], *header.size, dtype=kind)
        answer[..., band.top : band.top + found.shape[-2], :] = found
        pictures.append(image_pixels(band.image.levels[:, -band.top % step :: step, ::step].cpu()))
    shown = thinned(answer)
    panels = [np.concatenate(pictures), task.pixels(shown)]
    write_file(written.picture, sheet([panels], ("image", "prediction"), *task.legend([shown])))
    write_file(written.answer, task.encode(answer, 8 if header.bits <= 8 else 16))


@dataclass(frozen=True)
class FileRows:
    """Rows of the image in a file, or in files of one channel each, decoded when asked for."""

    files: tuple[Path, ...]
    header: Header
    channels: int
    scale: PixelScale

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.header.size

    @property
    def rows_at_once(self) -> int:
        """Those of a strip or a row of tiles; all where the format is decoded as a whole."""
        return self.header.rows_at_once

    def rows(self, top: int, bottom: int) -> ImageRows:
        """The rows from `top` up to `bottom`. Errors: `DataError`."""
        height, width = self.size
        window = Window(top, 0, bottom - top, width) if bottom - top < height else None
        found = pixels_in(self.files, self.channels, self.scale, window)
        return ImageRows(found.levels, found.valid)


def _together(faults: Sequence[DataError | SizeError]) -> GridgenError:
    """The first faults as one error, a line each."""
    more = len(faults) - FAULTS_SHOWN
    lines = [str(fault) for fault in faults[:FAULTS_SHOWN]]
    return type(faults[0])("\n".join([*lines, *([f"and {more} more"] if more > 0 else [])]))


@torch.no_grad()
def draw_predictions(predictor: Predictor, dataset: Dataset, path: Path) -> None:
    """Image, truth and prediction side by side, for a few images of `dataset`.

    They lie evenly in its order: neighbours are often frames of one clip.
    """
    predictor.network.eval()
    task = task_of(dataset)
    rows, labels = [], []
    images = min(len(dataset), IMAGES_DRAWN)
    for number in range(images):
        sample = dataset[number * len(dataset) // images]
        answer = task.answer(predictor.predict(sample.image, sample.name))
        labelled = (sample.label, task.masked(answer, sample.label))
        shown = map(task.pixels, map(thinned, labelled))
        rows.append([image_pixels(thinned(sample.image)), *shown])
        labels.append(sample.label)
    titles = ("image", "truth", "prediction")
    write_file(path, sheet(rows, titles, *task.legend(labels)))
