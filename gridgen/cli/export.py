"""`gridgen export`: a trained network as one weights file, with all that its use needs."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.inference import ModelPath
from gridgen.cli.terminal import Best, describe, report, wrapped
from gridgen.errors import UsageError

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
    read = Path(model), Path(model) / "weights.safetensors"
    if output.resolve() in [path.resolve() for path in read]:
        raise UsageError(f"-o: {output} is the file that is read; name another")
    from gridgen.training.run.model import export_model, open_model

    opened = open_model(model, best)
    written = export_model(opened, output, precision, note)
    parameters = sum(parameter.numel() for parameter in opened.network.parameters())
    classes = ", ".join(opened.task.classes) if opened.named else "not known"
    report(
        [
            *describe(opened.network.grid),
            ("parameters", f"{parameters:,} in {precision}"),
            *([("classes", wrapped(classes, " " * 12))] if classes else []),
            ("size", f"{written.stat().st_size / KIB:,.0f} KiB"),
            ("wrote", str(written)),
        ]
    )
