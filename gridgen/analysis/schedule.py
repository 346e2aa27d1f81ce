"""The order in which a module computes feature maps, and when each can be freed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.grid.fusions import Join
from gridgen.grid.layers import Conv, Deconv


@dataclass(frozen=True)
class Step:
    """Compute `target` from its arrivals, one after the other.

    `done` says for each arrival which maps nothing reads any more once it is there. Plain data, so
    that `torch.compile` meets no graph library in the forward pass.
    """

    target: FeatureMap
    join: Join
    arrivals: tuple[Connection, ...]
    done: tuple[tuple[FeatureMap, ...], ...]


def schedule(grid: Grid, order: Iterable[Sequence[Connection]]) -> tuple[Step, ...]:
    """One step for each sequence of arrivals in `order`, which is that of their targets."""
    arrivals = [tuple(step) for step in order]
    last_reader = {
        read: connection.name
        for step in arrivals
        for connection in step
        for read in reads(connection)
    }
    freed: dict[str, list[FeatureMap]] = {}
    for read, name in last_reader.items():
        freed.setdefault(name, []).append(read)
    return tuple(
        Step(
            step[0].target,
            join_at(grid, step[0].target),
            step,
            tuple(tuple(sorted(freed.get(connection.name, ()))) for connection in step),
        )
        for step in arrivals
    )


def by_column(grid: Grid) -> tuple[tuple[Step, ...], ...]:
    """The schedule in the grid's own order, in runs of maps of one column."""
    order = [grid.into(target) for target in grid.maps if target != grid.input]
    runs = groupby(schedule(grid, order), key=lambda step: step.target.column)
    return tuple(tuple(steps) for _, steps in runs)


def reads(connection: Connection) -> tuple[FeatureMap, ...]:
    """The maps that a connection reads."""
    seen = () if connection.auxiliary is None else (connection.auxiliary,)
    return (connection.source, *seen)


def join_at(grid: Grid, target: FeatureMap) -> Join:
    """How arrivals are joined; one alone has no weight to be weighed by."""
    fusion = grid.fusion_of(target)
    alone = fusion.join == "weighted" and not fusion.weights(grid.dag.in_degree(target))
    return "sum" if alone else fusion.join


def ends_in_convolution(connection: Connection) -> bool:
    """Whether the unit's output can be added to in place: nobody reads it, not even backward."""
    return bool(connection.unit) and isinstance(connection.unit[-1], Conv | Deconv)
