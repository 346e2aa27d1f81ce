"""Following an image size through a grid: the shape of every map, the cost of every part."""

from dataclasses import dataclass

from gridgen.errors import GridError
from gridgen.grid.grid import Connection, FeatureMap, Grid
from gridgen.grid.layers import Cost, Shape, cost

Size = tuple[int, int]


@dataclass(frozen=True)
class Trace:
    """What an image of one size meets in a grid."""

    shapes: dict[FeatureMap, Shape]
    stem: Cost
    """Of the stem and of all sides, as if features entered at each."""
    connections: dict[str, Cost]
    """Of the unit and of the projection of its identity, by the connection's name."""
    fusions: dict[str, Cost]
    """Of the join's weights and the layers after it, by the map's name."""
    head: Cost


def trace(grid: Grid, size: Size) -> Trace:
    """The shapes and costs of `grid` for one image of a legal `size` (height, width).

    Errors: `GridError` where what arrives at a map differs in shape, or nothing is left of a map.
    """
    stem = cost(grid.stem, (grid.spec.in_channels, *size))
    shapes: dict[FeatureMap, Shape] = {}
    connections: dict[str, Cost] = {}
    fusions: dict[str, Cost] = {}
    for target in grid.maps:
        arrivals = grid.into(target)
        for arrival in arrivals:
            connections[arrival.name] = _cost(arrival, shapes)
        shape = stem.shape if target == grid.input else _joined(grid, target, arrivals, connections)
        after = cost(grid.fusion_layers(target), shape)
        weights = grid.fusion_of(target).weights(len(arrivals))
        shapes[target] = _lasting(target, after.shape)
        if after.parameters or after.macs or after.activations or weights:
            fusions[target.name] = Cost(
                after.parameters + weights, after.activations, after.macs, after.shape
            )
    for side in grid.sides:
        stem = _together(stem, cost(side.layers, (side.channels, *shapes[side.target][1:])))
    return Trace(shapes, stem, connections, fusions, cost(grid.head, shapes[grid.output]))


def _lasting(target: FeatureMap, shape: Shape) -> Shape:
    if min(shape) < 1:
        place = f"X({target.stream}, {target.column})"
        raise GridError(f"{place} is {shape_text(shape)}; the image is too small")
    return shape


def _cost(connection: Connection, shapes: dict[FeatureMap, Shape]) -> Cost:
    shape = shapes[connection.source]
    seen = shapes[connection.reads] if connection.reads else None
    unit = cost(connection.unit, shape, seen)
    return _together(unit, cost(connection.shortcut, shape)) if connection.shortcut else unit


def _together(one: Cost, other: Cost) -> Cost:
    """What both cost; the shape is that of the first."""
    return Cost(
        one.parameters + other.parameters,
        one.activations + other.activations,
        one.macs + other.macs,
        one.shape,
    )


def _joined(
    grid: Grid, target: FeatureMap, arrivals: list[Connection], costs: dict[str, Cost]
) -> Shape:
    """The shape of what the fusion at `target` joins, before its layers."""
    concat = grid.fusion_of(target).join == "concat"
    first, *others = (costs[arrival.name].shape for arrival in arrivals)
    for arrival, shape in zip(arrivals[1:], others, strict=True):
        if shape[1:] != first[1:] or (shape != first and not concat):
            raise GridError(
                f"{arrival.name} brings {shape_text(shape)} to X({target.stream}, "
                f"{target.column}), {arrivals[0].name} {shape_text(first)}; both must agree"
            )
    return (first[0] + sum(shape[0] for shape in others), *first[1:]) if concat else first


def shape_text(shape: Shape) -> str:
    """`channels x height x width`."""
    return "x".join(map(str, shape))
