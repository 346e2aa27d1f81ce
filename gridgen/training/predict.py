"""Predictions on image files: what a trained network sees, as pictures and as files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gridgen.data import read_image
from gridgen.data.dataset import Tick
from gridgen.errors import DataError, GridgenError, SizeError
from gridgen.files import write_file
from gridgen.training import devices
from gridgen.training.image_files import Found, find_images, require_apart
from gridgen.training.inference import Inference, infer
from gridgen.training.inference.require import (
    BY_FLAG,
    require_image,
    require_inference,
    within_memory,
)
from gridgen.training.model import Model, open_model
from gridgen.training.pictures.sheet import image_pixels, sheet
from gridgen.training.tasks import Task

SHOWN = 5
"""Images in a message that cannot be predicted."""


@dataclass(frozen=True)
class Prediction:
    """Files written for one image: `picture` (image | prediction), and `answer`, whose pixels are
    class ids or a restored image, as the network was trained for.
    """

    picture: Path
    answer: Path

    @property
    def files(self) -> list[Path]:
        """Both of them."""
        return [self.picture, self.answer]

    @classmethod
    def of(cls, out: Path, name: str, task: Task) -> "Prediction":
        """The files of the image called `name`, which may begin with folders."""
        return cls(out / f"{name}.png", out / f"{name}_{task.ending}.png")


def predict(
    model: Model | str | Path,
    images: Sequence[str | Path],
    out: str | Path,
    *,
    device: str = "auto",
    inference: Inference | None = None,
    tick: Tick = lambda *_: None,
) -> list[Prediction]:
    """Predict `images`, files and folders, with an opened model, a run or a weights file.

    Two PNG files for each: `NAME.png` in `out` shows image and prediction side by side (figure 5),
    `NAME_labels.png` is the label itself: pixel value = class id, with the colours as its palette;
    of a network that restores images, `NAME_restored.png` is the image. Of a folder all images are
    taken, those in folders below too; their files lie in `out` as the images lie in the folder.

    All images are read, and their sizes checked, before the first file is written; `tick(done,
    total)` hears of each image when it is checked and when it is predicted. With `inference`,
    another one than training validated by. Errors: `DataError`, `SizeError`, `SpecError`,
    `RunError`, `WeightsError`; `DeviceError` under torchrun.
    """
    devices.require_alone("predicts images")
    model = model if isinstance(model, Model) else open_model(model)
    inference, chosen = inference or model.inference, devices.choose_device(device)
    spec, out = model.network.grid.spec, Path(out)
    require_inference(inference, spec, model.task)
    found = find_images(images, out)
    files = [Prediction.of(out, image.name, model.task) for image in found]
    require_apart([image.path for image in found], [file for each in files for file in each.files])
    faults: list[DataError | SizeError] = []
    for number, image in enumerate(found, 1):
        try:
            height, width = _read(model, image).shape[-2:]
            require_image(inference, spec, (height, width), str(image.path))
        except (DataError, SizeError) as fault:
            faults.append(fault)
        tick(number, 2 * len(found))
    if faults:
        raise _together(faults)
    model.network.to(chosen)
    for number, (image, written) in enumerate(zip(found, files, strict=True), 1):
        _predict(model, image, written, inference, chosen)
        tick(len(found) + number, 2 * len(found))
    return files


def _predict(
    model: Model, found: Found, files: Prediction, inference: Inference, device: torch.device
) -> None:
    image = _read(model, found)
    given = image if inference.window else image.to(device)
    with within_memory(str(found.path), BY_FLAG):
        answer = model.task.answer(infer(model.network, given, inference))
    write_file(files.picture, _picture(image, answer, model.task))
    write_file(files.answer, model.task.encode(answer))


def _together(faults: Sequence[DataError | SizeError]) -> GridgenError:
    """The first faults as one error, a line each."""
    more = len(faults) - SHOWN
    lines = [str(fault) for fault in faults[:SHOWN]]
    return type(faults[0])("\n".join([*lines, *([f"and {more} more"] if more > 0 else [])]))


def _read(model: Model, found: Found) -> Tensor:
    return read_image(found.path, model.network.grid.spec.in_channels, model.white)


def _picture(image: Tensor, answer: Tensor, task: Task) -> bytes:
    panels = [image_pixels(image), task.pixels(answer)]
    return sheet([panels], ("image", "prediction"), task.classes, task.colours)
