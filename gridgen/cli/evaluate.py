"""`gridgen evaluate`: score a trained network on a split."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.terminal import AsJson, Best, Device, Settings, policy_of, progress, report

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="Folder that gridgen train made.")]


def evaluate(
    run: RunPath,
    data: Annotated[str, typer.Option(help="A dataset's name, or the path of a folder.")],
    split: Annotated[str, typer.Option(help="Which part of it.")] = "val",
    baseline: Annotated[
        bool, typer.Option(help="Also score what needs no network: a lookup, or the image itself.")
    ] = True,
    best: Best = False,
    settings: Settings = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Score on whole images, IoU per class or PSNR, beside what needs no network at all."""
    from gridgen.training import evaluate as evaluate_run

    with progress("scoring") as tick:
        scored = evaluate_run(
            run,
            data,
            split,
            best=best,
            size=policy_of(settings),
            baseline=baseline,
            device=device,
            tick=tick,
        )
    if as_json:
        print(json.dumps(scored.as_json(), indent=2))
        return
    report(scored.rows())
