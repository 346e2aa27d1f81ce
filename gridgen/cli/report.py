"""`gridgen report`: the page of a training."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.terminal import report as print_rows


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
    from gridgen.pages import write_report
    from gridgen.training import Run

    opened = Run.open(run)
    print_rows([("wrote", str(write_report(opened, output)))])
