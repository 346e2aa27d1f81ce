"""The commands `gridgen render` and `gridgen build`: a spec as a picture or as a network."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.lint import summary
from gridgen.cli.terminal import (
    As,
    Output,
    Settings,
    SpecName,
    describe,
    grid_of,
    output_name,
    print_rows,
    require_suffix,
)


def render(
    spec: SpecName,
    topology: As = None,
    settings: Settings = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Picture: .svg, .png, .pdf, .dot or .gv.")
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
    print_rows([*describe(grid), ("wrote", str(written))])


def build(
    spec: SpecName, topology: As = None, settings: Settings = None, output: Output = None
) -> None:
    """Build the network, freshly initialized, and write it as safetensors, spec inside."""
    require_suffix(output, ".safetensors", "the weights' file")
    grid = grid_of(spec, topology, settings)
    from gridgen.analysis.lints import Case, lint
    from gridgen.emit import GridNetwork, save_network

    network = GridNetwork(grid)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    name = f"{output_name(spec, grid)}.safetensors"
    rows = [*describe(grid), ("parameters", f"{parameters:,}")]
    # At the size and batch that lints take by themselves.
    findings = lint(Case(grid))
    if findings:
        given = [word for setting in settings or () for word in ("--set", setting)]
        command = [spec, *(("--as", topology) if topology else ()), *given]
        rows.append(("lints", summary(findings, command)))
    written = save_network(network, output or Path("runs") / name)
    print_rows([*rows, ("wrote", str(written))])
