"""Predictions on image files: what a trained network sees, as pictures and as label files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from gridgen.data import read_image
from gridgen.errors import DataError, SizeError
from gridgen.files import write_file
from gridgen.training.devices import choose_device
from gridgen.training.pictures import image_pixels, label_pixels, png, sheet
from gridgen.training.run import Run
from gridgen.training.watch import Tick


@dataclass(frozen=True)
class Prediction:
    """Files written for one image: `picture` (image | prediction) and `labels` (class ids)."""

    picture: Path
    labels: Path


def predict(
    folder: str | Path,
    images: Sequence[str | Path],
    out: str | Path,
    device: str = "auto",
    tick: Tick = lambda *_: None,
) -> list[Prediction]:
    """Predict `images` with the run in `folder`; two PNG files for each in `out`.

    `NAME.png` shows image and prediction side by side (figure 5), `NAME_labels.png` is the label
    itself: pixel value = class id, with the colours as its palette. All images are read, and
    their sizes checked, before the first file is written. Errors: `DataError`, `SizeError`,
    `RunError`, `WeightsError`.
    """
    run, chosen = Run.open(folder), choose_device(device)
    network = run.network().to(chosen)
    facts = run.facts
    classes, colours = facts["classes"], facts["colours"]
    names = _names(images)
    predictions = []
    labels = []
    for number, path in enumerate(images, 1):
        image = read_image(Path(path), run.spec.in_channels)
        labels.append((image, _label(network, image.to(chosen), path)))
        tick(number, len(images))
    for name, (image, label) in zip(names, labels, strict=True):
        panels = [image_pixels(image), label_pixels(label, colours)]
        picture = sheet([panels], ("image", "prediction"), classes, colours)
        predictions.append(
            Prediction(
                write_file(Path(out) / f"{name}.png", picture),
                write_file(Path(out) / f"{name}_labels.png", _palette_png(label, colours)),
            )
        )
    return predictions


@torch.no_grad()
def _label(network: torch.nn.Module, image: Tensor, path: str | Path) -> Tensor:
    try:
        return network(image[None]).argmax(1)[0].cpu()  # type: ignore[no-any-return]
    except SizeError as error:
        raise SizeError(f"{path}: {error}") from error


def _names(images: Sequence[str | Path]) -> list[str]:
    """File names without endings; two images of one name would overwrite each other."""
    names = [Path(path).stem for path in images]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"two images are called {name}; predict them into two folders")
    return names


def _palette_png(label: Tensor, colours: Sequence[Sequence[int]]) -> bytes:
    picture = Image.fromarray(label.byte().numpy()).convert("P")
    picture.putpalette([value for colour in colours for value in colour])
    return png(picture)
