"""`gridgen count`: what a grid costs, exactly."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.analysis import count as count_grid
from gridgen.analysis.breakdown import GROUPINGS, breakdown
from gridgen.analysis.sizes import counted_size
from gridgen.analysis.words import number_text
from gridgen.cli.budget import Limits, verdicts_of
from gridgen.cli.costs import print_breakdown, print_totals
from gridgen.cli.memory import (
    Batch,
    Optimizer,
    Precision,
    Recompute,
    given,
    print_memory,
    setting_of,
)
from gridgen.cli.room import RoomName, room_of
from gridgen.cli.terminal import (
    As,
    AsJson,
    ImageSize,
    Settings,
    SpecName,
    describe,
    grid_of,
    report,
    size_of,
)
from gridgen.errors import UsageError, unknown
from gridgen.grid import Grid
from gridgen.grid.layers import shape_text
from gridgen.grid.trace import Size

if TYPE_CHECKING:
    from gridgen.analysis.device.fits import Fit, Room
    from gridgen.analysis.memory import Memory, Setting

DEFAULT = ("part", "stream")


def count(
    spec: SpecName,
    topology: As = None,
    settings: Settings = None,
    size: ImageSize = None,
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
    device: RoomName = None,
    budget: Limits = None,
    as_json: AsJson = False,
) -> None:
    """Count parameters, activations, multiply-accumulates, paths and memory, exactly."""
    if per is not None and per not in GROUPINGS:
        raise UsageError(f"--per: {unknown('grouping', per, GROUPINGS)}")
    terms = given(batch=batch, precision=precision, optimizer=optimizer, recompute=recompute)
    setting = setting_of(terms) if terms or device else None
    room = None if device is None else room_of(device)
    grid = grid_of(spec, topology, settings)
    asked = size_of(size)
    counted = count_grid(grid, asked)
    pieces = breakdown(grid, asked)
    needed = _memory(grid, asked, setting) if setting else None
    fitting = _fits(grid, room, asked, setting) if room else ()
    verdicts = verdicts_of(grid, budget, **terms, **({"size": asked} if asked else {}))
    if as_json:
        more: dict[str, Any] = {"memory": needed.as_json()} if needed else {}
        if per:
            more["breakdown"] = [asdict(row) for row in GROUPINGS[per](pieces)]
        if room:
            more["device"] = [asdict(fit) for fit in fitting]
        if budget:
            more["budget"] = [verdict._asdict() for verdict in verdicts]
        print(json.dumps(counted.as_json() | more, indent=2))
        return
    image = counted_size(grid.spec, asked)
    changed = "" if asked in (None, image) else f", {size} by size: {grid.spec.size}"
    report([*describe(grid), ("maps, paths", f"{counted.maps:,}, {number_text(counted.paths)}")])
    print(f"\nfor one image of {shape_text(image)}{changed}")
    print_totals(counted)
    if counted.parameters.paper is not None:
        print("\npaper: the approximations of section 3.2, which know the full grid only")
    for grouping in [per] if per else DEFAULT:
        print()
        print_breakdown(grouping, pieces)
    if needed and setting:
        print_memory(needed, setting)
    if room:
        print()
        report([(fit.phase, fit.text(room)) for fit in fitting])
    if verdicts:
        print()
        report([(verdict.words, verdict.text) for verdict in verdicts])


def _memory(grid: Grid, size: Size | None, setting: "Setting") -> "Memory":
    from gridgen.analysis.memory import memory

    return memory(grid, size, setting)


def _fits(
    grid: Grid, room: "Room", size: Size | None, setting: "Setting | None"
) -> "tuple[Fit, ...]":
    from gridgen.analysis.device.fits import fits

    return fits(grid, room, size, setting)
