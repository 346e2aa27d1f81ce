"""`gridgen topologies`: what the table of all sub-topologies of one grid says."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.tables import print_table
from gridgen.cli.terminal import AsJson, print_json, print_rows, require_suffix


def topologies(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The page.")
    ] = Path("topologies.html"),
    as_json: AsJson = False,
) -> None:
    """Say which sub-topology wins: a page on those of one grid, trained on CamVid."""
    require_suffix(output, ".html", "the page's file")
    from gridgen.tabular.page import headline, write_topologies_page
    from gridgen.tabular.standings import named_topologies, standing_rows, standings
    from gridgen.tabular.table import topology_benchmark

    benchmark = topology_benchmark()
    known = standings(benchmark, named_topologies(benchmark))
    path = write_topologies_page(output, benchmark)
    if as_json:
        named = [each._asdict() for each in known]
        print_json({"headline": headline(benchmark), "topologies": named, "page": str(path)})
        return
    print(headline(benchmark))
    print_table([tuple(row) for row in standing_rows(known)])
    print_rows([("wrote", str(path))])
