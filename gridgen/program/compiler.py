"""Compiles a grid to its program: the one definition of the forward pass and of its order.

The order of the maps is given, or column by column; each value is freed after its last use.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal

from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.grid.fusions import Join
from gridgen.grid.grid import Side
from gridgen.grid.layers import Conv, Deconv
from gridgen.program import operations as ops
from gridgen.program.operations import Operation, Program

Recompute = Literal["none", "unit", "column"]
"""The part that the backward pass computes again: nothing, every unit, or every column."""

Order = Iterable[Sequence[Connection]]
"""The connections into each map but the input map, in the order in which maps are computed."""


def compile_program(
    grid: Grid, order: Order | None = None, *, training: bool, recompute: Recompute = "none"
) -> Program:
    """The forward pass of `grid`, its maps in `order` (column by column where it is None).

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec(streams=1, columns="1+1", base_channels=4, classes=2)
    >>> program = compile_program(build_grid(spec), training=False)
    >>> for operation in program.operations[:6]:
    ...     names = ops.read_by(operation), ops.written_by(operation)
    ...     print(type(operation).__name__, *names)
    FitSize ('images',) ('fitted',)
    RunLayers ('fitted',) ('map_0_0',)
    Free () ()
    RunLayers ('map_0_0',) ('lateral_0_1.unit',)
    Add ('map_0_0', 'lateral_0_1.unit') ('map_0_1',)
    Free () ()
    """
    steps = [tuple(step) for step in (column_order(grid) if order is None else order)]
    freed = last_reads(steps)
    fitted, logits, last = "fitted", "logits", grid.output.name
    operations: list[Operation] = [ops.FitSize(ops.IMAGES, fitted), *_input_map(grid, fitted)]
    # In an order that is not by columns these are runs of maps; only training
    # makes checkpoints of them.
    for _, column in groupby(steps, key=lambda step: step[0].target.column):
        inside = [
            operation
            for step in column
            for operation in map_operations(grid, step, freed, training=training)
        ]
        operations += _checkpoint(inside) if recompute == "column" and training else inside
    if recompute == "unit" and training:
        # Identities and sums are cheap to keep and would be computed twice for nothing.
        operations = [_recomputed_unit(operation) for operation in operations]
    operations += [
        ops.RunLayers("head", grid.head, last, logits),
        ops.Free((last,)),
        ops.RestoreSize(logits, ops.IMAGES, ops.PREDICTION),
        ops.Free((logits,)),
    ]
    return Program(tuple(operations))


def column_order(grid: Grid) -> list[list[Connection]]:
    """The grid's own order: column by column, from the top stream down, lateral first."""
    return [grid.into(target) for target in grid.maps if target != grid.input]


def map_operations(
    grid: Grid,
    arrivals: Sequence[Connection],
    freed: Mapping[str, Sequence[FeatureMap]],
    *,
    training: bool,
) -> list[Operation]:
    """The operations that compute one map from `arrivals`, all connections into it in turn.

    `freed` names, for a connection, the maps that are read no more once it has been computed.
    """
    target = arrivals[0].target
    side = next((side for side in grid.sides if side.target == target), None)
    layers = grid.fusion_layers(target)
    names = _Names(target.name, has_layers=bool(layers), has_side=side is not None)
    operations = list(_fusion(grid, arrivals, freed, names.joined, training))
    if layers:
        operations += [
            ops.RunLayers(f"fusions.{target.name}", layers, names.joined, names.after_layers),
            ops.Free((names.joined,)),
        ]
    if side is not None:
        operations += _entering(side, names.after_layers, target.name)
    return operations


class _Names:
    """Names of a map on its way: joined, after its own layers, and at last as `map_I_J`."""

    def __init__(self, final: str, *, has_layers: bool, has_side: bool) -> None:
        self.after_layers = f"{final}.before_side" if has_side else final
        self.joined = f"{final}.joined" if has_layers else self.after_layers


def side_features(side: Side) -> str:
    """The name of the features that enter at a side."""
    return f"features.{side.target.name}"


def join_at(grid: Grid, target: FeatureMap) -> Join:
    """The join of the connections into `target`; one alone has no weight, so it is a sum."""
    fusion = grid.fusion_of(target)
    alone = fusion.join == "weighted" and not fusion.weights(grid.dag.in_degree(target))
    return "sum" if alone else fusion.join


def _input_map(grid: Grid, fitted: str) -> Iterator[Operation]:
    """The stem, and the layers of the input map itself."""
    name, layers = grid.input.name, grid.fusion_layers(grid.input)
    if not layers:
        yield ops.RunLayers("stem", grid.stem, fitted, name)
        yield ops.Free((fitted,))
        return
    yield ops.RunLayers("stem", grid.stem, fitted, "stem")
    yield ops.Free((fitted,))
    yield ops.RunLayers(f"fusions.{name}", layers, "stem", name)
    yield ops.Free(("stem",))


def last_reads(steps: Iterable[Sequence[Connection]]) -> dict[str, list[FeatureMap]]:
    """The maps of which each connection is the last reader, by its name."""
    last = {read: each.name for step in steps for each in step for read in each.inputs}
    freed: dict[str, list[FeatureMap]] = {}
    for read, name in sorted(last.items()):
        freed.setdefault(name, []).append(read)
    return freed


def _fusion(
    grid: Grid,
    arrivals: Sequence[Connection],
    freed: Mapping[str, Sequence[FeatureMap]],
    output: str,
    training: bool,
) -> Iterator[Operation]:
    target = arrivals[0].target
    join = join_at(grid, target)
    if join == "sum":
        yield from _sum(arrivals, freed, output, training)
        return
    names = tuple(arrival.name for arrival in arrivals)
    for arrival in arrivals:
        yield from _arrival(arrival, freed, arrival.name)
    if join == "concat":
        yield ops.Concatenate(names, output)
    else:
        yield ops.Weigh(f"weights.{target.name}", names, output)
    yield ops.Free(names)


def _sum(
    arrivals: Sequence[Connection],
    freed: Mapping[str, Sequence[FeatureMap]],
    output: str,
    training: bool,
) -> Iterator[Operation]:
    first, *others = arrivals
    total = first.name if others else output
    yield from _arrival(first, freed, total)
    for arrival in others:
        yield from _arrival(arrival, freed, arrival.name)
        name = output if arrival is others[-1] else f"{arrival.name}.sum"
        # A dropped unit's arrival may be the bare identity: a map that others read too.
        # Evaluation never drops, so its program may write in place where training may not.
        may_be_dropped = training and arrival.dropout > 0
        yield ops.Add(total, arrival.name, name, _is_writable(arrival) and not may_be_dropped)
        yield ops.Free((total, arrival.name))
        total = name


def _arrival(
    connection: Connection, freed: Mapping[str, Sequence[FeatureMap]], output: str
) -> Iterator[Operation]:
    """One connection: the unit, the identity, their sum."""
    name, source = connection.name, connection.source.name
    auxiliary = None if connection.auxiliary is None else connection.auxiliary.name
    adds_identity = connection.shortcut is not None
    branch = f"{name}.unit" if adds_identity else output
    yield ops.RunLayers(
        f"units.{name}",
        connection.unit,
        source,
        branch,
        auxiliary,
        connection.dropout,
        zeros_if_dropped=not adds_identity,
    )
    if adds_identity:
        identity = source
        if connection.shortcut:
            identity = f"{name}.identity"
            yield ops.RunLayers(f"shortcuts.{name}", connection.shortcut, source, identity)
        yield ops.Add(identity, branch, output, _is_writable(connection))
        yield ops.Free((branch,) if identity == source else (branch, identity))
    if maps := freed.get(name):
        yield ops.Free(tuple(each.name for each in maps))


def _is_writable(connection: Connection) -> bool:
    """True if a sum may be written over the unit's output, which autograd does not save."""
    return bool(connection.unit) and isinstance(connection.unit[-1], Conv | Deconv)


def _entering(side: Side, before: str, output: str) -> list[Operation]:
    """Features that enter beside the image, added to the map."""
    added = f"sides.{side.target.name}"
    return [
        ops.RunLayers(added, side.layers, side_features(side), added),
        ops.Add(before, added, output),
        ops.Free((before, added)),
    ]


def _recomputed_unit(operation: Operation) -> Operation:
    """A unit as a checkpoint; any other operation as it is."""
    if (
        isinstance(operation, ops.RunLayers)
        and operation.layers
        and operation.part.startswith("units.")
    ):
        return ops.Checkpoint((operation,), operation.inputs, (operation.output,))
    return operation


def _checkpoint(inside: Sequence[Operation]) -> Iterator[Operation]:
    """`inside` as one checkpoint; inputs that it frees have a name outside too, freed after it."""
    written = dict.fromkeys(name for operation in inside for name in ops.written_by(operation))
    read = dict.fromkeys(name for operation in inside for name in ops.read_by(operation))
    frees = (operation for operation in inside if isinstance(operation, ops.Free))
    freed = dict.fromkeys(name for free in frees for name in free.names)
    yield ops.Checkpoint(
        tuple(inside),
        inputs=tuple(name for name in read if name not in written),
        outputs=tuple(name for name in written if name not in freed),
    )
    if outside := tuple(name for name in freed if name not in written):
        yield ops.Free(outside)
