"""`gridgen count`: what a grid costs, exactly."""

import json
from typing import Annotated

import typer

from gridgen.analysis import Count
from gridgen.analysis import count as count_grid
from gridgen.analysis.count import Activations, Parameters
from gridgen.analysis.sizes import counted_size
from gridgen.cli.terminal import As, AsJson, Settings, SpecName, describe, grid_of, report, size_of
from gridgen.grid.layers import shape_text

PAPER = 5  # where the paper's columns of the table begin


def count(
    spec: SpecName,
    topology: As = None,
    settings: Settings = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="HxW", help="Height and width of the image; 400x400, rounded up, if not given."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count parameters, activations, multiply-accumulates and paths of one image, exactly."""
    grid = grid_of(spec, topology, settings)
    asked = size_of(size)
    counted = count_grid(grid, asked)
    if as_json:
        print(json.dumps(counted.as_json(), indent=2))
        return
    image = counted_size(grid.spec, asked)
    changed = "" if asked in (None, image) else f", {size} by size: {grid.spec.size}"
    report([*describe(grid), ("maps, paths", f"{counted.maps}, {counted.paths:,}")])
    print(f"\nfor one image of {shape_text(image)}{changed}")
    _print_table(counted)
    if counted.parameters.paper is not None:
        print("\npaper: the approximations of section 3.2, which know the full grid only")


def _print_table(counted: Count) -> None:
    """Exact numbers per part, and the paper's approximations beside them."""
    parameters, activations, macs = counted.parameters, counted.activations, counted.macs
    ends = f"{parameters.stem:,}", f"{parameters.head:,}"
    rows = [
        ("", "total", "grid", "stem", "head", "paper", "paper/grid"),
        _row("parameters", parameters.total, parameters.grid, *ends, parameters),
        _row("activations", activations.total, activations.grid, "", "", activations),
        ("MACs", f"{macs.total:,}", f"{macs.grid:,}", "", "", "", ""),
    ]
    if parameters.paper is None:
        rows = [row[:PAPER] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)]
        print(f"{row[0]:<{widths[0]}}  " + "  ".join(cells).rstrip())


def _row(
    label: str,
    total: int,
    grid: int,
    stem: str,
    head: str,
    part: Parameters | Activations,
) -> tuple[str, ...]:
    paper = "" if part.paper is None else f"{part.paper:,}"
    ratio = "" if part.paper_ratio is None else f"{part.paper_ratio:.3f}"
    return label, f"{total:,}", f"{grid:,}", stem, head, paper, ratio
