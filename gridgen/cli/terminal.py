"""What commands share: options that mean the same everywhere, and how results are printed."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gridgen.errors import SizeError, TopologyError
from gridgen.grid import Grid, build_grid, prune
from gridgen.grid.topologies import DESCENDING, NOTES, Descent
from gridgen.spec import GridSpec

SpecPath = Annotated[Path, typer.Argument(metavar="SPEC", help="YAML file of the network.")]
As = Annotated[
    str | None,
    typer.Option("--as", metavar="TOPOLOGY", help="Topology to prune to, over the spec's own."),
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="PATH", help="Where to write.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")]
Best = Annotated[
    bool, typer.Option("--best", help="The weights of the best validation, not of the last step.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def grid_of(spec: Path, topology: str | None) -> Grid:
    """The grid of a spec file, pruned to `--as` where that is given."""
    loaded = GridSpec.load(spec)
    if topology is None:
        return build_grid(loaded)
    try:
        return prune(build_grid(loaded.but(topology=None)), topology)
    except TopologyError as error:
        raise TopologyError(f"--as: {error}") from error


def size_of(text: str | None) -> tuple[int, int] | None:
    """(height, width) of `HEIGHTxWIDTH`."""
    if text is None:
        return None
    height, cross, width = text.partition("x")
    if not (cross and height.isdecimal() and width.isdecimal() and len(text) < 20):
        raise SizeError(f"--size: {text!r} is no size; write HEIGHTxWIDTH, such as 360x480")
    return int(height), int(width)


def describe(grid: Grid) -> list[tuple[str, str]]:
    """The first lines of every command about a grid."""
    name = grid.spec.title
    kept = f"{name}: {len(grid.connections)} of {len(grid.full.connections)} connections"
    rows = [("grid", grid.spec.shape), ("topology", kept)]
    if name in DESCENDING:
        rows.append(("", Descent(grid.spec).shape))
    if name in NOTES:
        rows.append(("", NOTES[name]))
    if grid.dead_ends:
        dead = ", ".join(connection.name for connection in grid.dead_ends)
        rows.append(("removed", f"{dead} (on no path from input to output)"))
    return rows


def report(rows: list[tuple[str, str]]) -> None:
    """Print label and value in two columns."""
    width = max(len(label) for label, _ in rows) + 2
    for label, value in rows:
        print(f"{label:<{width}}{value}")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, moved by calling what this yields with (done, total)."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
