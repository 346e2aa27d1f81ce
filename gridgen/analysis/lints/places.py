"""Every layer of a grid, with the place where it stands and the shape that it is given."""

from collections.abc import Iterator
from typing import NamedTuple

from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.grid.layers import Layer, Layers, Residual, Shape, cost
from gridgen.grid.tracing import Size, trace


class Placed(NamedTuple):
    """A layer, never a residual block but what it is made of, and the shape that it is given."""

    place: str
    layer: Layer
    shape: Shape


def placed_layers(grid: Grid, size: Size) -> Iterator[Placed]:
    """The layers of stem, units, shortcuts, fusions, sides and head at one image of `size`."""
    traced = trace(grid, size)
    shapes = traced.shapes
    image = grid.spec.in_channels, *size
    yield from _walk("stem", grid.stem, image)
    for target in grid.maps:
        for arrival in grid.into(target):
            source, seen = shapes[arrival.source], _seen(arrival, shapes)
            yield from _walk(arrival.name, arrival.unit, source, seen)
            yield from _walk(arrival.name, arrival.shortcut or (), source)
        yield from _walk(target.name, grid.fusion_layers(target), traced.joined[target])
    for side in grid.sides:
        given = side.channels, *shapes[side.target][1:]
        yield from _walk(f"sides.{side.target.name}", side.layers, given)
    yield from _walk("head", grid.head, shapes[grid.output])


def _walk(place: str, layers: Layers, shape: Shape, seen: Shape | None = None) -> Iterator[Placed]:
    for layer in layers:
        if isinstance(layer, Residual):
            yield from _walk(place, layer.layers, shape)
            yield from _walk(place, layer.shortcut, shape)
        else:
            yield Placed(place, layer, shape)
        shape = cost((layer,), shape, seen).shape


def _seen(arrival: Connection, shapes: dict[FeatureMap, Shape]) -> Shape | None:
    """The shape of the map that a connection reads, where it reads one."""
    return shapes[arrival.auxiliary] if arrival.auxiliary else None
