"""The commands `gridgen relate` and `gridgen diff`: two networks side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridgen.cli.terminal import SPEC, AsJson, grid_of, print_json, print_rows, size_of
from gridgen.grid.layers import shape_text
from gridgen.text import brief, field_text

if TYPE_CHECKING:
    from gridgen.analysis.differences import Difference
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
        print_json(relation.as_json())
        return
    print_rows([("A", a), ("B", b), *relation_rows(relation)])


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


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=SPEC)],
    b: Annotated[str, typer.Argument(metavar="B", help=SPEC)],
    size: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Image to count for; else the least for both from 400."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Picture of both: .svg, .png, .pdf, .dot or .gv."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare connections, cost and receptive field of two networks, and what weights fit both."""
    from gridgen.analysis.differences import diff as diff_grids

    ours, theirs = grid_of(a), grid_of(b)
    difference = diff_grids(ours, theirs, size_of(size))
    rows = [("A", a), ("B", b), *difference_rows(difference)]
    if output is not None:
        from gridgen.render import draw_difference

        rows.append(("wrote", str(draw_difference(ours, theirs).save(output))))
    if as_json:
        print_json(difference.as_json())
        return
    print_rows(rows)


def difference_rows(difference: "Difference") -> list[tuple[str, str]]:
    """What changes from A to B, as labels and values."""
    inherited = (
        f"{difference.inherited_parameters:,} of B's parameters "
        f"({difference.inherited_share:.1%}): {brief(difference.inherited)}"
    )
    return [
        ("only in A", brief(difference.only_in_a)),
        ("only in B", brief(difference.only_in_b)),
        ("changed", brief(difference.changed)),
        ("changed maps", brief(difference.changed_maps)),
        ("stem, head", "equal" if difference.ends_equal else "differ"),
        ("image", shape_text(difference.size)),
        *((c.what, f"{c.a:,} -> {c.b:,} ({c.difference:+,})") for c in difference.costs),
        ("receptive field", " -> ".join(map(field_text, difference.receptive_fields))),
        ("inherited", inherited),
    ]
