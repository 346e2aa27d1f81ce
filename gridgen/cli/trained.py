"""Commands that use a trained network: predict, report, export, and options of inference."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.cli.terminal import (
    Best,
    Device,
    Settings,
    describe,
    policy_of,
    print_rows,
    progress,
    wrapped,
)
from gridgen.errors import SpecError, UsageError

if TYPE_CHECKING:
    from gridgen.training.inference import Inference
    from gridgen.training.run.model import Model

ModelPath = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="Folder that gridgen train made, or a weights file."),
]
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
    str | None, typer.Option(help="fp32 or bf16, over what the inference says.")
]


def inference_of(
    model: "Model", name: str | None, window: int | None, precision: str | None
) -> "Inference":
    """What the options say, over what the model says; a window alone is one with weights."""
    from gridgen.training.inference import load_inference

    if name is None and window is not None and model.inference.window is None:
        name = "windows"
    loaded = model.inference if name is None else load_inference(name)
    changes: dict[str, Any] = {"window": window, "precision": precision}
    given = {field: value for field, value in changes.items() if value is not None}
    try:
        return loaded.but(**given) if given else loaded
    except SpecError as error:
        raise type(error)(f"--{error}") from error


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
    window: WindowOption = None,
    precision: InferencePrecision = None,
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
    print_rows([*rows, *([("", f"and two files for each of {more} more")] if more > 0 else [])])


KIB = 1024


def export(
    model: ModelPath,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Ends in .safetensors.")
    ],
    best: Best = False,
    precision: Annotated[
        str, typer.Option(help="fp32, or bf16 for a file of half the size.")
    ] = "fp32",
    note: Annotated[str | None, typer.Option(help="A few words that the file keeps.")] = None,
) -> None:
    """Write weights, spec, classes and their colours to one file; evaluate and predict read it."""
    if output.suffix != ".safetensors":
        raise UsageError(f"-o: {output} does not end in .safetensors, as the weights' file must")
    # A run folder is given by its own name or by the weights inside it.
    read = Path(model), Path(model) / "weights.safetensors"
    if output.resolve() in [path.resolve() for path in read]:
        raise UsageError(f"-o: {output} is the file that is read; name another")
    from gridgen.training.run.model import export_model, open_model

    opened = open_model(model, best)
    written = export_model(opened, output, precision, note)
    parameters = sum(parameter.numel() for parameter in opened.network.parameters())
    classes = ", ".join(opened.task.classes) if opened.named else "not known"
    print_rows(
        [
            *describe(opened.network.grid),
            ("parameters", f"{parameters:,} in {precision}"),
            *([("classes", wrapped(classes, " " * 12))] if classes else []),
            ("size", f"{written.stat().st_size / KIB:,.0f} KiB"),
            ("wrote", str(written)),
        ]
    )


def report(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder that gridgen train made, finished or not.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Else report.html in the folder."),
    ] = None,
) -> None:
    """Write one HTML page: curves, table, predictions, network, environment, commands."""
    if output is not None and output.suffix != ".html":
        raise UsageError(f"-o: {output} does not end in .html, as the page's file must")
    from gridgen.pages import write_report
    from gridgen.training import Run

    opened = Run.open(run)
    print_rows([("wrote", str(write_report(opened, output)))])
