"""Predictions on image files: what a trained network sees, as pictures and as files."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from torch import Tensor

from gridgen.arguments import checked
from gridgen.data import Dataset
from gridgen.errors import DataError, GridgenError, SizeError
from gridgen.files import write_file
from gridgen.images.files import SUFFIXES, read_pixels
from gridgen.names import composed
from gridgen.progress import OnProgress, no_progress
from gridgen.training.inference import InferenceLike, as_inference
from gridgen.training.processes import devices
from gridgen.training.run.model import Model, open_model
from gridgen.training.scoring.per_image import Predictor
from gridgen.training.tasks import Task, task_of
from gridgen.training.tasks.pixels import image_pixels, sheet
from gridgen.training.tasks.requirements import (
    require_image,
    require_inference,
)

FAULTS_SHOWN = 5
"""Images in a message that cannot be predicted."""
IMAGES_DRAWN = 6
"""Images of a dataset that are drawn beside their truth."""


@dataclass(frozen=True)
class Found:
    """An image file, and what files made from it are called: its path below the folder that was
    given, without its ending.
    """

    path: Path
    name: str


def find_images(given: Sequence[str | Path], out: Path) -> list[Found]:
    """The images of files and folders, in the order given, a folder's by name.

    Folders are gone through to the bottom; hidden files and folders, links to folders, `labels`
    beside `images`, and what lies in `out`, are passed over. Where several arguments are given, an
    image of a folder is called after the folder too. Errors: `DataError` where a folder holds no
    image, or where two images have one name.
    """
    if not given:
        raise DataError("no images are given; name files or folders")
    found: list[Found] = []
    for path in map(Path, given):
        if not path.is_dir():
            found.append(Found(path, path.stem))
            continue
        below = [Found(image, _name(image, path, len(given))) for image in _walk(path, out)]
        if not below:
            raise DataError(f"{path}: no images in it; they end in {', '.join(SUFFIXES)}")
        found += below
    _require_names_apart(found)
    return found


def require_apart(images: Sequence[Path], written: Sequence[Path]) -> None:
    """Refuse to overwrite an image of the user's by a picture, or a picture by another."""
    given, before = {path.resolve() for path in images}, set()
    for path in written:
        if path.resolve() in given:
            raise DataError(f"{path}: would overwrite an image; name another folder with -o")
        if path in before:
            raise DataError(f"{path}: two images would be written there; rename one of them")
        before.add(path)


def _walk(folder: Path, out: Path) -> Iterator[Path]:
    apart = out.resolve() if out.resolve() != folder.resolve() else None
    for place, folders, files in os.walk(folder):
        hidden = "labels" if "images" in folders else "."
        shown = (name for name in folders if not name.startswith(".") and name != hidden)
        folders[:] = sorted(name for name in shown if Path(place, name).resolve() != apart)
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(place, name)


def _name(image: Path, folder: Path, arguments: int) -> str:
    below = image.relative_to(folder).with_suffix("")
    return str(below if arguments == 1 else Path(folder.resolve().name) / below)


def _require_names_apart(found: Sequence[Found]) -> None:
    """Refuse two images of one name, which would overwrite each other."""
    named: dict[str, Path] = {}
    for image in found:
        # Some file systems take two ways of writing an umlaut for one name.
        if (name := composed(image.name)) in named:
            fact = f"{named[name]} and {image.path} are both called {name}"
            raise DataError(f"{fact}; predict them into two folders")
        named[name] = image.path


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
    def of(cls, out: Path, name: str, task: Task) -> "Prediction":
        """The files of the image called `name`, which may begin with folders."""
        return cls(out / f"{name}.png", out / f"{name}_{task.ending}.png")


Images = Annotated[
    str | Path | Sequence[str | Path], "paths of images and folders; model(array) answers an array"
]


@checked
def predict(
    model: Model | str | Path,
    images: Images,
    out: str | Path,
    *,
    device: str = "auto",
    inference: InferenceLike | None = None,
    on_progress: OnProgress = no_progress,
) -> list[Prediction]:
    """Predict `images`, files and folders, with an opened model, a run or a weights file.

    An image in memory is predicted by the model itself: `open_model(path)(array)`.

    Two PNG files for each: `NAME.png` in `out` shows image and prediction side by side (figure 5),
    `NAME_labels.png` is the label itself: pixel value = class id, with the colours as its palette;
    of a network that restores images, `NAME_restored.png` is the image. Of a folder all images are
    taken, those in folders below too; their files lie in `out` as the images lie in the folder.

    All images are read, and their sizes checked, before the first file is written; `on_progress`
    is called for each image when it is checked and when it is predicted. With `inference`,
    another one than training validated by. Errors: `DataError`, `SizeError`, `SpecError`,
    `RunError`, `WeightsError`; `DeviceError` under torchrun.
    """
    devices.require_alone("predicts images")
    model = model if isinstance(model, Model) else open_model(model)
    inference, chosen = as_inference(inference or model.inference), devices.choose_device(device)
    spec, out = model.network.grid.spec, Path(out)
    require_inference(inference, spec, model.task)
    found = find_images([images] if isinstance(images, str | Path) else images, out)
    files = [Prediction.of(out, image.name, model.task) for image in found]
    require_apart([image.path for image in found], [file for each in files for file in each.files])
    faults: list[DataError | SizeError] = []
    for number, image in enumerate(found, 1):
        try:
            height, width = _read(model, image).shape[-2:]
            require_image(inference, spec, (height, width), str(image.path))
        except (DataError, SizeError) as fault:
            faults.append(fault)
        on_progress(number, 2 * len(found))
    if faults:
        raise _together(faults)
    predictor = Predictor(model.network.to(chosen), chosen, inference)
    for number, (image, written) in enumerate(zip(found, files, strict=True), 1):
        _predict(predictor, model, image, written)
        on_progress(len(found) + number, 2 * len(found))
    return files


def _predict(predictor: Predictor, model: Model, found: Found, files: Prediction) -> None:
    image, task = _read(model, found), model.task
    answer = task.answer(predictor.predict(image, str(found.path)))
    panels = [image_pixels(image), task.pixels(answer)]
    titles = ("image", "prediction")
    write_file(files.picture, sheet([panels], titles, task.classes, task.colours))
    write_file(files.answer, task.encode(answer))


def _together(faults: Sequence[DataError | SizeError]) -> GridgenError:
    """The first faults as one error, a line each."""
    more = len(faults) - FAULTS_SHOWN
    lines = [str(fault) for fault in faults[:FAULTS_SHOWN]]
    return type(faults[0])("\n".join([*lines, *([f"and {more} more"] if more > 0 else [])]))


def _read(model: Model, found: Found) -> Tensor:
    return read_pixels(found.path, model.network.grid.spec.in_channels, model.scale).levels


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
        shown = (sample.label, task.masked(answer, sample.label))
        rows.append([image_pixels(sample.image), *map(task.pixels, shown)])
        labels.append(sample.label)
    titles = ("image", "truth", "prediction")
    write_file(path, sheet(rows, titles, *task.legend(labels)))
