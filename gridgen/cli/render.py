"""`gridgen render`: draw a grid."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.terminal import As, SpecPath, describe, grid_of, report


def render(
    spec: SpecPath,
    topology: As = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Picture: .svg, .png, .pdf, .dot or .gv."),
    ] = None,
) -> None:
    """Draw the grid: kept connections in colour, dropped ones as faint ghosts."""
    from gridgen.render import draw

    grid = grid_of(spec, topology)
    path = output or Path(f"{spec.stem}-{grid.spec.title}.svg")
    written = draw(grid).save(path)
    report([*describe(grid), ("wrote", str(written))])
