"""Connections that were asked for and do nothing."""

from collections.abc import Iterator

from gridgen.analysis.lints.case import Case
from gridgen.analysis.lints.columns import as_written
from gridgen.analysis.lints.finding import Finding, Fix
from gridgen.analysis.lints.patterns import without
from gridgen.grid import Grid
from gridgen.spec import CustomTopology, GridSpec
from gridgen.spec.gridspec import Column

FACT = "on no path from input to output, so removed"


def dead_ends(case: Case) -> Iterator[Finding]:
    """Connections of the topology, or of the columns, that lie on no path and are not built."""
    grid = case.grid
    if not grid.dead_ends:
        return
    fix = _fix(grid)
    for connection in grid.dead_ends:
        yield Finding("dead-ends", (connection.name,), FACT, fix)


def _fix(grid: Grid) -> Fix:
    topology = grid.spec.topology
    if isinstance(topology, CustomTopology):
        words, lists = _without_them(grid, topology)
        return Fix(words, {"topology": lists})
    assert isinstance(grid.spec, GridSpec), "the others lay no connection that is on no path"
    return Fix("begin with sub and end with up", {"columns": _columns(grid.spec)})


def _without_them(grid: Grid, topology: CustomTopology) -> tuple[str, dict[str, list[str]]]:
    """A topology that asks for what the grid has and for nothing else: in words, and its lists."""
    names = [connection.name for connection in grid.full]
    dead = [connection.name for connection in grid.dead_ends]
    if topology.keep:
        return "keep the others", {"keep": without(topology.keep, names, dead)}
    if set(dead) <= set(names):
        return "drop them as well", {"drop": [*(topology.drop or ()), *dead]}
    return "keep the others", {"keep": [connection.name for connection in grid]}


def _columns(spec: GridSpec) -> str | list[Column]:
    """Without up columns before the first sub, and sub columns after the last up."""
    columns = spec.columns
    first, last = columns.index("sub"), len(columns) - columns[::-1].index("up")
    return as_written(columns[first:last])
