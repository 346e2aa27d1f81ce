"""Following an image size through a grid: the shape of every map, the cost of every part."""

from dataclasses import dataclass, replace

from gridgen.errors import GridError
from gridgen.grid.fusions import Fusion
from gridgen.grid.grid import Connection, FeatureMap, Grid
from gridgen.grid.layers import Cost, Shape, cost, require_equal, shape_text

Size = tuple[int, ...]
"""(height, width), or as many sides as the network has dimensions."""
FAR = 2**10 * 3**2 * 5 * 7
"""Rows, a multiple of what one unit can multiply sizes by."""


@dataclass(frozen=True)
class Trace:
    """Shapes and costs of all parts of a grid for an image of one size."""

    shapes: dict[FeatureMap, Shape]
    joined: dict[FeatureMap, Shape]
    """Shape of each map after its fusion joins the arrivals, before its layers."""
    stem: Cost
    """Cost of the stem and of all sides, as if features entered at each."""
    connections: tuple[Cost, ...]
    """Cost of each unit and of the projection of its identity, in the grid's order."""
    fusions: dict[str, Cost]
    """Cost of the fusion's weights and the layers after it, by the map's name."""
    head: Cost


def trace(grid: Grid, size: Size) -> Trace:
    """The shapes and costs of `grid` for one image of a legal `size` (height, width).

    Errors: `GridError` where what arrives at a map differs in shape, or nothing is left of a map.
    """
    stem = cost(grid.stem, (grid.spec.in_channels, *size))
    shapes: dict[FeatureMap, Shape] = {}
    joined: dict[FeatureMap, Shape] = {}
    connections: list[Cost] = []
    fusions: dict[str, Cost] = {}
    for target in grid.maps:
        arrivals = grid.into(target)
        brought = [_cost(arrival, shapes) for arrival in arrivals]
        connections += brought
        fusion = grid.fusion_of(target)
        shape = stem.shape if target == grid.input else _joined(fusion, target, arrivals, brought)
        joined[target] = shape
        layers, weights = grid.fusion_layers(target), fusion.weights(len(arrivals))
        if layers or weights:
            after = cost(layers, shape)
            shape = after.shape
            fusions[target.name] = replace(after, parameters=after.parameters + weights)
        shapes[target] = _lasting(target, shape)
    for side in grid.sides:
        # A side counts as part of the stem: both lead from the outside to a first map.
        stem = _together(stem, cost(side.layers, (side.channels, *shapes[side.target][1:])))
    head = cost(grid.head, shapes[grid.output])
    return Trace(shapes, joined, stem, tuple(connections), fusions, head)


def map_strides(grid: Grid) -> dict[FeatureMap, float | None]:
    """By how much each map is smaller than the image: pixels from one of its rows to the next.

    None for a map that has as many rows whatever the size of the image, as pooled bins have.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec(streams=2, columns="1+1", base_channels=4, classes=2, stem="strided")
    >>> map_strides(build_grid(spec))[1, 0]
    4
    """
    spec, more = grid.spec, FAR * grid.spec.multiple
    # Of one size alone a map's share is not seen: a convolution without padding takes rows away.
    sizes = ((side,) * spec.dimensions for side in (spec.least, spec.least + more))
    small, large = (trace(grid, size).shapes for size in sizes)
    rows = {each: large[each][1] - small[each][1] for each in small}
    return {each: _quotient(more, number) if number else None for each, number in rows.items()}


def _quotient(pixels: int, rows: int) -> float:
    """Pixels for each row, a whole number but for a map that is larger than the image."""
    return pixels / rows if pixels % rows else pixels // rows


def _lasting(target: FeatureMap, shape: Shape) -> Shape:
    if min(shape) < 1:
        raise GridError(f"{target} is {shape_text(shape)}; the image is too small")
    return shape


def _cost(connection: Connection, shapes: dict[FeatureMap, Shape]) -> Cost:
    shape = shapes[connection.source]
    auxiliary = shapes[connection.auxiliary] if connection.auxiliary else None
    unit = cost(connection.unit, shape, auxiliary)
    if connection.shortcut is None:
        return unit
    identity = cost(connection.shortcut, shape)
    require_equal(f"{connection.name}: the identity", identity.shape, "its unit", unit.shape)
    return _together(unit, identity)


def _together(one: Cost, other: Cost) -> Cost:
    """The sum of both costs; the shape is that of the first."""
    return Cost(
        one.parameters + other.parameters,
        one.activations + other.activations,
        one.macs + other.macs,
        one.shape,
    )


def _joined(
    fusion: Fusion, target: FeatureMap, arrivals: list[Connection], brought: list[Cost]
) -> Shape:
    """The shape of what the fusion at `target` joins, before its layers."""
    concat = fusion.join == "concat"
    first, *others = (part.shape for part in brought)
    for arrival, shape in zip(arrivals[1:], others, strict=True):
        if shape[1:] != first[1:] or (shape != first and not concat):
            raise GridError(
                f"{arrival.name} brings {shape_text(shape)} to {target}, "
                f"{arrivals[0].name} {shape_text(first)}; both must agree"
            )
    return (first[0] + sum(shape[0] for shape in others), *first[1:]) if concat else first
