"""`gridgen predict`: what a trained network sees in image files."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.evaluate import RunPath
from gridgen.cli.terminal import Best, Device, Settings, policy_of, progress, report


def predict(
    run: RunPath,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Image files.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to write.")
    ] = Path("out"),
    best: Best = False,
    settings: Settings = None,
    device: Device = "auto",
) -> None:
    """Write image and prediction side by side, and the prediction as a file of its own."""
    from gridgen.training import predict as predict_images

    with progress("predicting") as tick:
        predictions = predict_images(
            run, images, output, best=best, size=policy_of(settings), device=device, tick=tick
        )
    for prediction in predictions:
        report([("wrote", ", ".join(map(str, prediction.files)))])
