"""`gridgen report`: the page of a training."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.terminal import report as print_rows
from gridgen.errors import UsageError


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
