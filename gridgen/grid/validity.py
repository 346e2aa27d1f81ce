"""Rules for a valid grid beyond its connections: shapes that agree, auxiliary inputs that exist."""

from collections.abc import Iterator

from gridgen.errors import GridError
from gridgen.grid.fusions import CONCAT
from gridgen.grid.grid import Connection, FeatureMap, Grid
from gridgen.grid.layers import (
    Layer,
    Layers,
    MaxPool,
    MaxUnpool,
    Residual,
    Shape,
    channels_after,
    flat,
    in_dimensions,
    shape_text,
)
from gridgen.grid.tracing import trace


def require_shapes(grid: Grid) -> None:
    """Checks on a small legal image that all shapes agree and the prediction has its size.

    Errors: `GridError`.
    """
    channels_after(grid.head, grid.channels_of(grid.output))
    for connection in grid:
        channels_after(connection.shortcut or (), grid.channels_of(connection.source))
    # The sides differ, since a square would hide layers that swap or fix them.
    sides = range(grid.spec.dimensions)
    size = tuple(grid.spec.least + grid.spec.multiple * index for index in sides)
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


def require_auxiliary_inputs(grid: Grid) -> None:
    """Exactly the connections whose unit reads an auxiliary input have one.

    Errors: `GridError`.
    """
    for name, layers in grid.parts():
        outside = flat(layers) if not name.startswith("units.") else _inside_blocks(layers)
        if any(layer.needs_auxiliary for layer in outside):
            part = name.rpartition(".")[2]
            raise GridError(f"{part} has no auxiliary input to read; only a connection's unit can")
    for connection in grid:
        needed, name = any(layer.needs_auxiliary for layer in connection.unit), connection.name
        if needed and connection.auxiliary is None:
            raise GridError(f"{name} needs an auxiliary input; name the map with auxiliary")
        if connection.auxiliary is not None and not needed:
            fact = f"no layer of {name} reads its auxiliary input"
            raise GridError(f"{fact}; leave out auxiliary")


def require_auxiliary_maps(grid: Grid) -> None:
    """Every auxiliary input is computed before its connection, and is what the unit needs.

    Errors: `GridError`.
    """
    for _, _, edge in grid.dag.edges(data=True):
        connection: Connection = edge["connection"]
        if connection.auxiliary is not None:
            _require_map(grid, connection, connection.auxiliary)


def require_whole(kept: Grid, full: Grid) -> None:
    """A concatenation keeps all of its connections, since its channels depend on them.

    Errors: `GridError`.
    """
    for target in kept.dag:
        whole = full.dag.in_degree(target)
        if full.fusion_of(target) == CONCAT and kept.dag.in_degree(target) < whole:
            raise GridError(
                f"{target} concatenates {whole} maps; keep all of the connections into it, or none"
            )


def _require_map(grid: Grid, connection: Connection, auxiliary: FeatureMap) -> None:
    import networkx as nx  # here, since commands that build no grid start without it

    name = connection.name
    if auxiliary not in grid.dag or auxiliary not in nx.ancestors(grid.dag, connection.target):
        fact = f"the auxiliary input {auxiliary} of {name} lies on no path to it"
        raise GridError(f"{fact}; keep a path")
    for layer in connection.unit:
        if isinstance(layer, MaxUnpool) and not _pools(grid, auxiliary, layer.pooling):
            raise GridError(
                f"{name}: {layer.pooling} is not a connection from {auxiliary} that begins with "
                "a 2x2 maximum"
            )


def _pools(grid: Grid, source: FeatureMap, name: str) -> bool:
    """The connection `name` leaves `source` and begins with a 2x2 maximum."""
    leaving = [edge["connection"] for _, _, edge in grid.dag.out_edges(source, data=True)]
    pooling = in_dimensions((MaxPool(),), grid.spec.dimensions)
    return any(c.name == name and c.unit[:1] == pooling for c in leaving)


def _inside_blocks(layers: Layers) -> Iterator[Layer]:
    """The layers of which the residual blocks among `layers` are made."""
    for block in layers:
        if isinstance(block, Residual):
            yield from flat((block,))
