"""`gridgen count`: what a grid costs, exactly."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from gridgen.analysis import Count
from gridgen.analysis import count as count_grid
from gridgen.analysis.breakdown import GROUPINGS, breakdown
from gridgen.analysis.count import Activations, Parameters
from gridgen.analysis.memory import memory
from gridgen.analysis.sizes import counted_size
from gridgen.analysis.words import number_text
from gridgen.cli.costs import print_breakdown
from gridgen.cli.memory import (
    Batch,
    Optimizer,
    Precision,
    Recompute,
    print_memory,
    setting_of,
)
from gridgen.cli.table import print_table
from gridgen.cli.terminal import As, AsJson, Settings, SpecName, describe, grid_of, report, size_of
from gridgen.errors import UsageError, unknown
from gridgen.grid.layers import shape_text

PAPER = 5  # where the paper's columns of the table begin
DEFAULT = ("part", "stream")


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
    per: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="Costs per part, stream or connection; per part and per stream if not given.",
        ),
    ] = None,
    batch: Batch = None,
    precision: Precision = None,
    optimizer: Optimizer = None,
    recompute: Recompute = None,
    as_json: AsJson = False,
) -> None:
    """Count parameters, activations, multiply-accumulates, paths and memory, exactly."""
    if per is not None and per not in GROUPINGS:
        raise UsageError(f"--per: {unknown('grouping', per, GROUPINGS)}")
    setting = setting_of(batch=batch, precision=precision, optimizer=optimizer, recompute=recompute)
    grid = grid_of(spec, topology, settings)
    asked = size_of(size)
    counted = count_grid(grid, asked)
    pieces = breakdown(grid, asked)
    needed = memory(grid, asked, setting) if setting else None
    if as_json:
        more = {"memory": needed.as_json()} if needed else {}
        rows = {"breakdown": [asdict(row) for row in GROUPINGS[per](pieces)]} if per else {}
        print(json.dumps(counted.as_json() | rows | more, indent=2))
        return
    image = counted_size(grid.spec, asked)
    changed = "" if asked in (None, image) else f", {size} by size: {grid.spec.size}"
    report([*describe(grid), ("maps, paths", f"{counted.maps:,}, {number_text(counted.paths)}")])
    print(f"\nfor one image of {shape_text(image)}{changed}")
    _print_totals(counted)
    if counted.parameters.paper is not None:
        print("\npaper: the approximations of section 3.2, which know the full grid only")
    for grouping in [per] if per else DEFAULT:
        print()
        print_breakdown(grouping, pieces)
    if needed and setting:
        print_memory(needed, setting)


def _print_totals(counted: Count) -> None:
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
    print_table(rows)


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
