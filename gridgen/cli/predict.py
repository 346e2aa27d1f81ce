"""`gridgen predict`: what a trained network sees in image files."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.inference import How, ModelPath, Precision, Window, inference_of
from gridgen.cli.terminal import Best, Device, Settings, policy_of, progress, report

SHOWN = 10
"""Images whose files are named."""


def predict(
    model: ModelPath,
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Image files, and folders of them.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to write.")
    ] = Path("out"),
    best: Best = False,
    settings: Settings = None,
    inference: How = None,
    window: Window = None,
    precision: Precision = None,
    device: Device = "auto",
) -> None:
    """Write image and prediction side by side, and the prediction as a file of its own."""
    from gridgen.training import predict as predict_images
    from gridgen.training.run.model import open_model

    opened = open_model(model, best, policy_of(settings))
    with progress("predicting") as on_progress:
        predictions = predict_images(
            opened,
            images,
            output,
            device=device,
            inference=inference_of(opened, inference, window, precision),
            on_progress=on_progress,
        )
    rows = [("wrote", ", ".join(map(str, each.files))) for each in predictions[:SHOWN]]
    more = len(predictions) - SHOWN
    report([*rows, *([("", f"and two files for each of {more} more")] if more > 0 else [])])
