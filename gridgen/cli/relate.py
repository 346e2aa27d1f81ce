"""`gridgen relate`: how one network lies in another."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from gridgen.cli.terminal import SPEC, AsJson, grid_of, report
from gridgen.text import brief

if TYPE_CHECKING:
    from gridgen.analysis.relations import Relation


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
    report([("A", a), ("B", b), *relation_rows(relation)])


def relation_rows(relation: "Relation") -> list[tuple[str, str]]:
    """How A lies in B, as labels and values."""
    shared = len(relation.common)
    ours, theirs = shared + len(relation.only_in_a), shared + len(relation.only_in_b)
    rows = [
        ("subgraph", f"A is {'a' if relation.subgraph else 'no'} subgraph of B"),
        ("connections", f"{shared} of A's {ours} are in B, which has {theirs}"),
        ("units", _equal(relation.differing)),
        ("maps", _equal(relation.differing_maps)),
        ("stem, head", "equal" if relation.ends_equal else "differ"),
        ("only in A", brief(relation.only_in_a)),
        ("only in B", brief(relation.only_in_b)),
    ]
    return rows + [("" if i else "A needs", need) for i, need in enumerate(relation.needs)]


def _equal(differing: Sequence[str]) -> str:
    return f"differ: {brief(differing)}" if differing else "equal where both have them"
