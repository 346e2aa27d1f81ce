"""Applying a topology to a grid."""

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase

from gridgen.errors import TopologyError, unknown
from gridgen.grid.grid import Connection, Grid
from gridgen.grid.keep import keep_wanted
from gridgen.grid.topologies import TOPOLOGIES
from gridgen.spec import CustomTopology, GridSpec


def prune(grid: Grid, topology: str | CustomTopology) -> Grid:
    """The grid with the connections of `topology` alone, and of these what lies on a path.

    Starts from the full grid whatever `grid` was pruned to before, so the topology named last
    holds. Errors: `TopologyError` for an unknown name, columns that the topology cannot use,
    a pattern that matches nothing, or no path left.

    >>> from gridgen.grid.building import build_grid
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec.of(streams=5, columns="3+3", base_channels=16, classes=19))
    >>> len(prune(grid, "unet").connections)
    33
    """
    full = grid.full
    kept = keep_wanted(full, _wanted(full, topology))
    return replace(kept, spec=full.spec.but(topology=topology))


def removed(grid: Grid) -> tuple[Connection, ...]:
    """The connections that pruning took from the full grid."""
    kept = {connection.name for connection in grid}
    return tuple(connection for connection in grid.full if connection.name not in kept)


def _wanted(grid: Grid, topology: str | CustomTopology) -> Callable[[Connection], bool]:
    if isinstance(topology, CustomTopology):
        return _custom(grid, topology)
    if topology not in TOPOLOGIES:
        raise TopologyError(unknown("topology", topology, TOPOLOGIES), ("topology",))
    spec = grid.spec
    if not isinstance(spec, GridSpec):
        fact = f"{topology} is a topology of the paper's grid; {spec.title} is a network of its own"
        raise TopologyError(fact, ("topology",))
    predicate = TOPOLOGIES[topology]
    return lambda connection: predicate(connection, spec)


def _custom(grid: Grid, topology: CustomTopology) -> Callable[[Connection], bool]:
    field = "keep" if topology.keep else "drop"
    patterns = topology.keep or topology.drop or ()
    names = [connection.name for connection in grid]
    named: set[str] = set()
    for index, pattern in enumerate(patterns):
        matched = {name for name in names if fnmatchcase(name, pattern)}
        if not matched:
            raise TopologyError(
                unknown("connection of this grid", pattern, names), ("topology", field, index)
            )
        named |= matched
    return lambda connection: (connection.name in named) == (field == "keep")
