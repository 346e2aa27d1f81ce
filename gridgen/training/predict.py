"""Predictions on image files: what a trained network sees, as pictures and as files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gridgen.data import read_image
from gridgen.errors import DataError
from gridgen.files import write_file
from gridgen.training.devices import choose_device
from gridgen.training.run import Run
from gridgen.training.sheet import image_pixels, sheet
from gridgen.training.splits import require_size
from gridgen.training.tasks import Task
from gridgen.training.watch import Tick


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


def predict(
    folder: str | Path,
    images: Sequence[str | Path],
    out: str | Path,
    *,
    best: bool = False,
    size: str | None = None,
    device: str = "auto",
    tick: Tick = lambda *_: None,
) -> list[Prediction]:
    """Predict `images` with the run in `folder`; two PNG files for each in `out`.

    `NAME.png` shows image and prediction side by side (figure 5), `NAME_labels.png` is the label
    itself: pixel value = class id, with the colours as its palette; of a network that restores
    images, `NAME_restored.png` is the image. All images are read, and
    their sizes checked, before the first file is written. `best` takes the weights of the best
    validation, `size` another policy for image sizes than the run's. Errors: `DataError`,
    `SizeError`, `RunError`, `WeightsError`.
    """
    run, chosen = Run.open(folder), choose_device(device)
    task = run.task
    network = run.network(best, size).to(chosen)
    names = _names(images)
    _require_apart(images, names, Path(out), task)
    for path in images:
        height, width = read_image(path, run.spec.in_channels).shape[-2:]
        require_size(network.grid.spec, (height, width), str(path))
    predictions = []
    for number, (name, path) in enumerate(zip(names, images, strict=True), 1):
        image = read_image(path, run.spec.in_channels)
        with torch.no_grad():
            answer = task.answer(network(image[None].to(chosen)))
        predictions.append(_write(Path(out), name, image, answer, task))
        tick(number, len(images))
    return predictions


def _require_apart(
    images: Sequence[str | Path], names: Sequence[str], out: Path, task: Task
) -> None:
    """No image of the user's is overwritten by a picture of ours."""
    given = {Path(path).resolve() for path in images}
    for name in names:
        for written in (out / f"{name}.png", out / f"{name}_{task.ending}.png"):
            if written.resolve() in given:
                raise DataError(f"{written}: would overwrite an image; name another folder with -o")


def _write(out: Path, name: str, image: Tensor, answer: Tensor, task: Task) -> Prediction:
    panels = [image_pixels(image), task.pixels(answer)]
    picture = sheet([panels], ("image", "prediction"), task.classes, task.colours)
    return Prediction(
        write_file(out / f"{name}.png", picture),
        write_file(out / f"{name}_{task.ending}.png", task.encode(answer)),
    )


def _names(images: Sequence[str | Path]) -> list[str]:
    """File names without endings; two images of one name would overwrite each other."""
    names = [Path(path).stem for path in images]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"two images are called {name}; predict them into two folders")
    return names
