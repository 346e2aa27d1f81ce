"""`gridgen render`: draw a grid."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.terminal import As, Settings, SpecName, describe, grid_of, output_name, report


def render(
    spec: SpecName,
    topology: As = None,
    settings: Settings = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Picture: .svg, .png, .pdf, .dot or .gv."),
    ] = None,
) -> None:
    """Draw the grid: kept connections in colour, dropped ones as faint ghosts."""
    from gridgen.render import draw

    grid = grid_of(spec, topology, settings)
    path = output or Path(f"{output_name(spec, grid)}.svg")
    written = draw(grid).save(path)
    report([*describe(grid), ("wrote", str(written))])
