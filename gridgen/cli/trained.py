"""Commands that use a trained network: predict, evaluate, report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridgen.cli.tables import print_table
from gridgen.cli.terminal import (
    AsJson,
    Best,
    Device,
    SizeSetting,
    errors_beginning,
    given,
    policy_of,
    print_json,
    print_rows,
    progress,
    require_suffix,
)
from gridgen.errors import FileError, UsageError

if TYPE_CHECKING:
    from gridgen.training.inference import Inference
    from gridgen.training.run.model import Model
    from gridgen.training.scoring.official import Benchmark

SHOWN, WORST = 10, 24
"""Images whose files are named, and those that a page shows."""

How = Annotated[
    str | None,
    typer.Option(
        "--inference",
        metavar="NAME|FILE",
        help="whole, windows, multiscale, paper, or a YAML file; else as training validated.",
    ),
]
WindowOption = Annotated[
    int | None,
    typer.Option(metavar="N", help="See images through windows of N pixels a side; saves memory."),
]
InferencePrecision = Annotated[
    str | None,
    typer.Option(
        help="fp32, if not given; bf16; auto, which is bf16 where the device has instructions "
        "for it. An --inference FILE may name one too."
    ),
]


def inference_of(
    model: "Model", name: str | None, window: int | None, precision: str | None
) -> "Inference":
    """What the options say, over what the model says; a window alone is one with weights."""
    from gridgen.training.inference import load_inference

    if name is None and window is not None and model.inference.window is None:
        name = "windows"
    loaded = model.answering if name is None else load_inference(name)
    with errors_beginning("--"):
        return loaded.but(**given(window=window, precision=precision))


def models_and_images(paths: list[str]) -> tuple[list[str], list[Path]]:
    """The models that are named first, one at least, and the images behind them."""
    from gridgen.training.run.ensemble import is_model

    models, images = paths[:1], paths[1:]
    while images and is_model(images[0]):
        models.append(images.pop(0))
    if not is_model(models[0]) and (any(map(is_model, images)) or (models[1:] and not images)):
        raise UsageError(f"{models[0]} is no model; name the model first, then the images")
    if not images:
        raise UsageError("no image is named; give image files, or folders of them, after the model")
    return models, [*map(Path, images)]


def predict(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL... IMAGE...",
            help="A run's folder or weights file, or several whose answers are averaged; then "
            "image files, and folders of them.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to write.")
    ] = Path("out"),
    best: Best = False,
    settings: SizeSetting = None,
    inference: How = None,
    window: WindowOption = None,
    precision: InferencePrecision = None,
    device: Device = "auto",
) -> None:
    """Write image and prediction side by side, and the prediction as a file of its own."""
    from gridgen.training import open_ensemble, predict as predict_images

    models, images = models_and_images(paths)
    opened = open_ensemble(models, best, policy_of(settings))
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
    print_rows([*rows, *([("", f"and two files for each of {more} more")] if more > 0 else [])])


def evaluate(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            help="Folder that gridgen train made, or a weights file; of several the answers are "
            "averaged.",
        ),
    ],
    data: Annotated[str, typer.Option(help="A dataset's name, or the path of a folder.")],
    split: Annotated[
        str | None,
        typer.Option(help="Which part of it; else val, or the fold that training took for val."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Write tables and a page there."),
    ] = None,
    worst: Annotated[
        int | None,
        typer.Option(min=0, max=500, help="Worst images on the page that -o writes; 24."),
    ] = None,
    baseline: Annotated[
        bool, typer.Option(help="Also score what needs no network: a lookup, or the image itself.")
    ] = True,
    official: Annotated[
        bool,
        typer.Option(
            "--official", help="Cityscapes: its four official scores too; keeps label ids."
        ),
    ] = False,
    best: Best = False,
    settings: SizeSetting = None,
    inference: How = None,
    window: WindowOption = None,
    precision: InferencePrecision = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Score each image, and all together: IoU and Dice of classes, or PSNR, beside a baseline."""
    from gridgen.pages import write_evaluation
    from gridgen.training.processes.precision import faster_precision
    from gridgen.training.run.ensemble import open_ensemble
    from gridgen.training.scoring.evaluation import evaluate as evaluate_model, scored_split
    from gridgen.training.scoring.per_image import Gallery

    if output is not None:
        _require_free(output)
    elif worst is not None:
        raise UsageError(
            "--worst: images are shown on the page of -o alone; give it, or leave this out"
        )
    opened = open_ensemble(models, best, policy_of(settings))
    model = models[0]
    split = split or scored_split(opened, data)
    benchmark = _benchmark(data, split, model, output) if official else None
    gallery = Gallery(WORST if worst is None else worst) if output is not None else None
    how = inference_of(opened, inference, window, precision)
    with progress("scoring") as on_progress:
        scored = evaluate_model(
            opened,
            data,
            split,
            baseline=baseline,
            device=device,
            inference=how,
            observers=[benchmark] if benchmark else (),
            gallery=gallery,
            on_progress=on_progress,
        )
    written = write_evaluation(scored, gallery, output) if gallery and output else []
    verdict = None
    if benchmark is not None:
        with progress("official scores") as on_progress:
            verdict = benchmark.verdict(on_progress)
    if as_json:
        print_json(scored.as_json() | ({"official": verdict.as_json()} if verdict else {}))
        return
    # The page first, then the tables.
    wrote = ", ".join(map(str, (*written[-1:], *written[:-1])))
    line = faster_precision(opened.device, how.precision) if precision is None else ""
    print_rows([*scored.rows(), *([("faster", line)] if line else [])])
    for table in scored.tables.values():
        if not table.picture:
            print()
            print_table(table.shown())
    if wrote:
        print()
        print_rows([("wrote", wrote)])
    if verdict:
        print()
        print_table(verdict.table(opened.title))
        print()
        print_rows(verdict.rows())


def _benchmark(data: str, split: str, model: str, output: Path | None) -> "Benchmark":
    """What is to see the answers; label ids go to cityscapes-SPLIT in `output`, or in the run."""
    from gridgen.training.scoring.official import Benchmark

    path = Path(model)
    folder = output or (path if path.is_dir() else path.with_suffix(""))
    return Benchmark(data, split, folder / f"cityscapes-{split}")


def _require_free(folder: Path) -> None:
    """Only an earlier evaluation is written over."""
    if folder.is_file():
        raise FileError(f"{folder}: cannot be made: a file is in the way")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "scores.json").is_file():
        raise FileError(f"-o: {folder} holds other files; name a new folder")


OF_SEARCHES = ("study.db", "study.journal", "trials.csv")
"""Of these a search has one at least; a study's own file may lie in any folder."""


def report(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", help="Folder that gridgen train or gridgen search made, finished or not."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Else report.html in the folder."),
    ] = None,
) -> None:
    """Write one HTML page: of a training, or of a search with every trial behind its point."""
    require_suffix(output, ".html", "the page's file")
    if (run / "study.yaml").is_file() and any((run / name).exists() for name in OF_SEARCHES):
        from gridgen.study.driver.writing import write_study_report

        print_rows([("wrote", str(write_study_report(run, output)))])
        return
    from gridgen.pages import write_report
    from gridgen.training import Run

    print_rows([("wrote", str(write_report(Run.open(run), output)))])
