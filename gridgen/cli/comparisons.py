"""The commands `gridgen relate` and `gridgen diff`: two networks side by side."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.terminal import SPEC, AsJson, grid_of, print_json, print_rows, size_of


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
    print_rows([("A", a), ("B", b), *relation.rows()])


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=SPEC)],
    b: Annotated[str, typer.Argument(metavar="B", help=SPEC)],
    size: Annotated[
        str | None,
        typer.Option(
            metavar="HxW",
            help="Image to count for; else the smallest from 400x400 up that both take.",
        ),
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
    rows = [("A", a), ("B", b), *difference.rows()]
    if output is not None:
        from gridgen.render import draw_difference

        rows.append(("wrote", str(draw_difference(ours, theirs).save(output))))
    if as_json:
        print_json(difference.as_json())
        return
    print_rows(rows)
