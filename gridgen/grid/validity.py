"""What a grid must keep to beyond its connections: shapes that agree, maps that are looked at."""

import networkx as nx

from gridgen.errors import GridError
from gridgen.grid.fusions import CONCAT
from gridgen.grid.grid import Connection, FeatureMap, Grid
from gridgen.grid.layers import (
    Layers,
    MaxPool,
    MaxUnpool,
    Residual,
    Resize,
    Shape,
    channels_after,
    shape_text,
)
from gridgen.grid.tracing import trace


def require_shapes(grid: Grid) -> None:
    """At a small legal image, all shapes agree and the prediction has the image's size.

    Errors: `GridError`.
    """
    channels_after(grid.head, grid.channels_of(grid.output))
    for connection in grid:
        channels_after(connection.shortcut or (), grid.channels_of(connection.source))
    size = grid.spec.least, grid.spec.least + grid.spec.multiple  # a square hides fixed sizes
    traced = trace(grid, size)
    if traced.head.shape != (grid.spec.classes, *size):
        fact = f"{shape_text(traced.head.shape)} is predicted for {shape_text(size)}"
        raise GridError(f"{fact}; {grid.spec.classes} classes at that size are wanted")
    streams: dict[int, Shape] = {}
    for feature_map, shape in traced.shapes.items():
        before = streams.setdefault(feature_map.stream, shape)
        if shape[1:] != before[1:]:
            raise GridError(
                f"{feature_map} is {shape_text(shape)}, another of its stream "
                f"{shape_text(before)}; a stream has one resolution"
            )


def require_looking(grid: Grid) -> None:
    """Only the unit of a connection that reads a map looks at one, and then it does.

    Errors: `GridError`.
    """
    for part, layers in _parts_that_cannot_look(grid):
        if _looking(layers):
            raise GridError(f"{part} cannot look at a further map; only a connection's unit can")
    for connection in grid:
        looks, name = _looking(connection.unit), connection.name
        if looks and connection.reads is None:
            raise GridError(f"{name} looks at a further map; say which with reads")
        if connection.reads is not None and not looks:
            fact = f"{name} reads a map, but no layer of its unit looks at one"
            raise GridError(f"{fact}; drop reads")


def require_seen(grid: Grid) -> None:
    """What a connection reads is computed before it, and is what its unit looks for.

    Errors: `GridError`.
    """
    for _, _, edge in grid.dag.edges(data=True):
        connection: Connection = edge["connection"]
        if connection.reads is not None:
            _require_seen(grid, connection, connection.reads)


def require_whole(kept: Grid, full: Grid) -> None:
    """Where a map's channels depend on what arrives, all of it is kept. Errors: `GridError`."""
    for target in kept.dag:
        whole = full.dag.in_degree(target)
        if full.fusion_of(target) == CONCAT and kept.dag.in_degree(target) < whole:
            raise GridError(
                f"{target} concatenates {whole} maps; keep all of the connections into it, or none"
            )


def _require_seen(grid: Grid, connection: Connection, seen: FeatureMap) -> None:
    name = connection.name
    if seen not in grid.dag or seen not in nx.ancestors(grid.dag, connection.target):
        raise GridError(f"{name} reads {seen}, which is not on a way to it; keep one")
    for layer in connection.unit:
        if isinstance(layer, MaxUnpool) and not _pools(grid, seen, layer.pooling):
            raise GridError(
                f"{name}: {layer.pooling} is no connection from {seen} that begins with "
                "a 2x2 maximum"
            )


def _pools(grid: Grid, source: FeatureMap, name: str) -> bool:
    """Whether the connection `name` leaves `source` and begins with a pooling to be undone."""
    leaving = [edge["connection"] for _, _, edge in grid.dag.out_edges(source, data=True)]
    return any(c.name == name and c.unit[:1] == (MaxPool(),) for c in leaving)


def _parts_that_cannot_look(grid: Grid) -> list[tuple[str, Layers]]:
    """Layers outside of units, and inside of residual blocks."""
    blocks = [
        (connection.name, layer.layers + layer.shortcut)
        for connection in grid
        for layer in connection.unit
        if isinstance(layer, Residual)
    ]
    shortcuts = [(connection.name, connection.shortcut or ()) for connection in grid]
    fusions = [(target.name, grid.fusion_layers(target)) for target in grid.maps]
    return [("stem", grid.stem), ("head", grid.head), *fusions, *shortcuts, *blocks]


def _looking(layers: Layers) -> bool:
    return any(
        isinstance(layer, MaxUnpool | Resize)
        or (isinstance(layer, Residual) and _looking(layer.layers + layer.shortcut))
        for layer in layers
    )
