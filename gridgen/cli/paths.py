"""`gridgen paths`: the paths from input to output, and why there is total dropout."""

import json
from typing import Annotated, Any

import typer

from gridgen.analysis.dropout import Dropout, dropout, has_dropout
from gridgen.analysis.paths import Paths
from gridgen.analysis.paths import paths as find_paths
from gridgen.cli.paths_page import print_connections, print_page, totals
from gridgen.cli.terminal import As, AsJson, Settings, SpecName, describe, grid_of, print_rows
from gridgen.errors import UsageError, unknown
from gridgen.grid import FeatureMap, Grid

Fields = dict[FeatureMap, int | None]


def paths(
    spec: SpecName,
    topology: As = None,
    settings: Settings = None,
    per: Annotated[
        str | None,
        typer.Option(metavar="WHAT", help="connection: the share of paths through each of them."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count the paths from input to output by length, and what passes where."""
    if per not in (None, "connection"):
        raise UsageError(f"--per: {unknown('grouping', per or '', ['connection'])}")
    grid = grid_of(spec, topology, settings)
    found = find_paths(grid)
    if as_json:
        print(json.dumps(_as_json(grid, found), indent=2))
        return
    print_rows([*describe(grid), *totals(found)])
    print()
    if per:
        print_connections(found)
    else:
        print_page(found, _left(grid), _fields(grid), _field(grid))


def _left(grid: Grid) -> Dropout | None:
    """What total dropout leaves; None where the spec has none."""
    return dropout(grid) if has_dropout(grid) else None


def _fields(grid: Grid) -> Fields:
    from gridgen.analysis.receptive import receptive_fields

    return receptive_fields(grid)


def _field(grid: Grid) -> int | None:
    from gridgen.analysis.receptive import receptive_field

    return receptive_field(grid)


def _as_json(grid: Grid, found: Paths) -> dict[str, Any]:
    left = _left(grid)
    return {
        **found.as_json(),
        "total_dropout": left and left.as_json(),
        "receptive_field": _field(grid),
        "receptive_fields": {place.name: side for place, side in _fields(grid).items()},
    }
