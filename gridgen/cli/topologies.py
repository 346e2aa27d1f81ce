"""`gridgen topologies`: what the benchmark of all sub-topologies says."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.terminal import print_rows, require_suffix


def topologies(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The page.")
    ] = Path("topologies.html"),
) -> None:
    """Write one HTML page: which of all sub-topologies of a grid is best, and how sure that is."""
    require_suffix(output, ".html", "the page's file")
    from gridgen.tabular.page import headline, write_topologies_page
    from gridgen.tabular.table import topology_benchmark

    path = write_topologies_page(output)
    print(headline(topology_benchmark()))
    print_rows([("wrote", str(path))])
