"""`gridgen relate`: how one network lies in another."""

import json
from typing import Annotated

import typer

from gridgen.cli.terminal import SPEC, AsJson, grid_of, report


def relate(
    a: Annotated[str, typer.Argument(metavar="A", help=SPEC)],
    b: Annotated[str, typer.Argument(metavar="B", help=SPEC)],
    as_json: AsJson = False,
) -> None:
    """Say whether A is a subgraph of B, what differs, and what A needs that B has not."""
    from gridgen.analysis.relations import relate as relate_grids

    relation = relate_grids(grid_of(a), grid_of(b))
    if as_json:
        print(json.dumps(relation.as_json(), indent=2))
        return
    report([("A", a), ("B", b), *relation.rows()])
