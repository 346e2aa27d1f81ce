"""`gridgen evaluate`: score a trained network on a split."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.inference import How, ModelPath, Precision, Window, inference_of
from gridgen.cli.official import Official, benchmark_of, show, verdict_of
from gridgen.cli.terminal import AsJson, Best, Device, Settings, policy_of, progress, report
from gridgen.errors import FileError


def evaluate(
    model: ModelPath,
    data: Annotated[str, typer.Option(help="A dataset's name, or the path of a folder.")],
    split: Annotated[str, typer.Option(help="Which part of it.")] = "val",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Write tables and a page there."),
    ] = None,
    worst: Annotated[int, typer.Option(min=0, max=500, help="Worst images on the page.")] = 24,
    baseline: Annotated[
        bool, typer.Option(help="Also score what needs no network: a lookup, or the image itself.")
    ] = True,
    official: Official = False,
    best: Best = False,
    settings: Settings = None,
    inference: How = None,
    window: Window = None,
    precision: Precision = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Score each image, and all together: IoU per class or PSNR, beside what needs no network."""
    from gridgen.pages import write_evaluation
    from gridgen.training.run.model import open_model
    from gridgen.training.scoring import Gallery
    from gridgen.training.scoring import evaluate as evaluate_model

    if output is not None:
        _require_free(output)
    opened = open_model(model, best, policy_of(settings))
    benchmark = benchmark_of(data, split, model, output) if official else None
    gallery = Gallery(worst) if output is not None else None
    with progress("scoring") as on_progress:
        scored = evaluate_model(
            opened,
            data,
            split,
            baseline=baseline,
            device=device,
            inference=inference_of(opened, inference, window, precision),
            observers=[benchmark] if benchmark else (),
            gallery=gallery,
            on_progress=on_progress,
        )
    written = write_evaluation(scored, gallery, output) if gallery and output else []
    verdict = verdict_of(benchmark) if benchmark else None
    if as_json:
        told = {"official": verdict.as_json()} if verdict else {}
        print(json.dumps(scored.as_json() | told, indent=2))
        return
    report([*scored.rows(), *_wrote(written)])
    if verdict:
        show(verdict, model)


def _require_free(folder: Path) -> None:
    """Only an earlier evaluation is written over."""
    if folder.is_file():
        raise FileError(f"{folder}: cannot be made: a file is in the way")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "scores.json").is_file():
        raise FileError(f"-o: {folder} holds other files; name a new folder")


def _wrote(written: list[Path]) -> list[tuple[str, str]]:
    """The page first, then the tables."""
    if not written:
        return []
    *tables, page = written
    return [("wrote", ", ".join(map(str, (page, *tables))))]
