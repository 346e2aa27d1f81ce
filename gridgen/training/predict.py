"""Predictions on image files: what a trained network sees, as pictures and as label files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from gridgen.data import read_image
from gridgen.errors import DataError
from gridgen.files import write_file
from gridgen.training.devices import choose_device
from gridgen.training.pictures import image_pixels, label_pixels, png, sheet
from gridgen.training.run import Run
from gridgen.training.splits import require_size
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
    *,
    best: bool = False,
    device: str = "auto",
    tick: Tick = lambda *_: None,
) -> list[Prediction]:
    """Predict `images` with the run in `folder`; two PNG files for each in `out`.

    `NAME.png` shows image and prediction side by side (figure 5), `NAME_labels.png` is the label
    itself: pixel value = class id, with the colours as its palette. All images are read, and
    their sizes checked, before the first file is written. `best` takes the weights of the best
    validation. Errors: `DataError`, `SizeError`, `RunError`, `WeightsError`.
    """
    run, chosen = Run.open(folder), choose_device(device)
    network = run.network(best).to(chosen)
    names = _names(images)
    _require_apart(images, names, Path(out))
    for path in images:
        height, width = read_image(path, run.spec.in_channels).shape[-2:]
        require_size(run.spec, (height, width), str(path))
    predictions = []
    for number, (name, path) in enumerate(zip(names, images, strict=True), 1):
        image = read_image(path, run.spec.in_channels)
        with torch.no_grad():
            label = network(image[None].to(chosen)).argmax(1)[0].cpu()
        predictions.append(_write(Path(out), name, image, label, run.facts))
        tick(number, len(images))
    return predictions


def _require_apart(images: Sequence[str | Path], names: Sequence[str], out: Path) -> None:
    """No image of the user's is overwritten by a picture of ours."""
    given = {Path(path).resolve() for path in images}
    for name in names:
        for written in (out / f"{name}.png", out / f"{name}_labels.png"):
            if written.resolve() in given:
                raise DataError(f"{written}: would overwrite an image; name another folder with -o")


def _write(out: Path, name: str, image: Tensor, label: Tensor, facts: dict[str, Any]) -> Prediction:
    classes, colours = facts["classes"], facts["colours"]
    panels = [image_pixels(image), label_pixels(label, colours)]
    picture = sheet([panels], ("image", "prediction"), classes, colours)
    return Prediction(
        write_file(out / f"{name}.png", picture),
        write_file(out / f"{name}_labels.png", _palette_png(label, colours)),
    )


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
