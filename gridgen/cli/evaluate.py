"""The command `gridgen evaluate`, with Cityscapes' official scores beside the paper's."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridgen.cli.tables import print_table
from gridgen.cli.terminal import AsJson, Best, Device, Settings, policy_of, print_rows, progress
from gridgen.cli.trained import How, InferencePrecision, ModelPath, WindowOption, inference_of
from gridgen.errors import FileError

if TYPE_CHECKING:
    from gridgen.training.scoring.official import Benchmark, Verdict

Official = Annotated[
    bool,
    typer.Option("--official", help="Cityscapes: its four official scores too; keeps label ids."),
]


def benchmark_of(data: str, split: str, model: str, output: Path | None) -> "Benchmark":
    """What is to see the answers; label ids go to cityscapes-SPLIT in `output`, or in the run."""
    from gridgen.training.scoring.official import Benchmark

    path = Path(model)
    folder = output or (path if path.is_dir() else path.with_suffix(""))
    return Benchmark(data, split, folder / f"cityscapes-{split}")


def verdict_of(benchmark: "Benchmark") -> "Verdict":
    """What the official script says of what was seen."""
    with progress("official scores") as on_progress:
        return benchmark.verdict(on_progress)


def show(verdict: "Verdict", model: str) -> None:
    """The table, and below it where it comes from."""
    print()
    print_table(verdict.table(model))
    print()
    print_rows(verdict.rows())


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
    window: WindowOption = None,
    precision: InferencePrecision = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Score each image, and all together: IoU per class or PSNR, beside what needs no network."""
    from gridgen.pages import write_evaluation
    from gridgen.training.run.model import open_model
    from gridgen.training.scoring.evaluation import evaluate as evaluate_model
    from gridgen.training.scoring.per_image import Gallery

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
    print_rows([*scored.rows(), *_wrote(written)])
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
