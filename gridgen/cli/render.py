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
    paths: Annotated[
        bool,
        typer.Option("--paths", help="How many of the paths each connection carries (figure 4)."),
    ] = False,
) -> None:
    """Draw the grid: kept connections in colour, dropped ones as faint ghosts."""
    from gridgen.render import draw, draw_paths

    grid = grid_of(spec, topology, settings)
    name = output_name(spec, grid) + ("-paths" if paths else "")
    picture = draw_paths(grid) if paths else draw(grid)
    written = picture.save(output or Path(f"{name}.svg"))
    report([*describe(grid), ("wrote", str(written))])
