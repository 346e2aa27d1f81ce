"""The command `gridgen export`: a network taken away."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.terminal import Best, To, describe, grid_of, print_rows, progress, wrapped
from gridgen.errors import UsageError

KIB = 1024


def export(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="Folder that gridgen train made, a weights file, or a spec (for its source).",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="A file .safetensors, .py, .onnx or .pt2."
        ),
    ],
    to: To = None,
    best: Best = False,
    precision: Annotated[
        str,
        typer.Option(help="fp32; weights also bf16, a file of half the size; ONNX also int8."),
    ] = "fp32",
    runtime: Annotated[
        str | None,
        typer.Option("--for", metavar="RUNTIME", help="Of ONNX: openvino, rewritten for it."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="Of int8: what calibrates it, else what it was trained on."),
    ] = None,
    note: Annotated[str | None, typer.Option(help="A few words that the file keeps.")] = None,
    verify: Annotated[
        bool,
        typer.Option(
            help="Compare ONNX and programs with torch at sizes the export never saw; score int8."
        ),
    ] = True,
) -> None:
    """Take a network away: weights with spec and classes, its source in Python, ONNX, a program of
    torch.export.
    """
    if output.resolve() == Path(model).resolve():
        raise UsageError(f"-o: {output} is the file that is read; name another")
    from gridgen.export import export_network, exporter_of
    from gridgen.training.run.model import open_model

    exporter_of(output, to)
    if _names_spec(model):
        if best:
            raise UsageError("--best: a spec has no trained weights; name a run")
        grid = grid_of(model)
        written = export_network(
            grid, output, to, precision=precision, note=note, runtime=runtime, data=data
        )
        print_rows([*describe(grid), *written.rows()])
        return
    opened = open_model(model, best)
    with progress("calibrating and scoring") as on_progress:
        written = export_network(
            opened,
            output,
            to,
            precision=precision,
            note=note,
            verify=verify,
            runtime=runtime,
            data=data,
            on_progress=on_progress,
        )
    parameters = sum(parameter.numel() for parameter in opened.network.parameters())
    classes = ", ".join(opened.task.classes) if opened.named else "not known"
    size = sum(path.stat().st_size for path in written.files) / KIB
    print_rows(
        [
            *describe(opened.network.grid),
            ("parameters", f"{parameters:,} in {precision}"),
            *([("classes", wrapped(classes, " " * 12))] if classes else []),
            ("size", f"{size:,.0f} KiB"),
            *written.rows(),
        ]
    )


def _names_spec(model: str) -> bool:
    """True for a spec file, a published network, and either with a topology."""
    from gridgen.architectures.names import ARCHITECTURES
    from gridgen.spec.source import YAML_SUFFIXES

    spec = model.partition("@")[0]
    known = Path(spec).suffix in YAML_SUFFIXES or spec in ARCHITECTURES
    return known and not Path(model).is_dir()
