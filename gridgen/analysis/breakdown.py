"""Where the cost of a grid lies: connection by connection, part by part, stream by stream.

The pieces are those that `count` sums up, so every breakdown adds up to its totals.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from gridgen.analysis.sizes import SizeLike, as_size, counted_size
from gridgen.arguments import checked
from gridgen.grid import Grid, GridLike, as_grid
from gridgen.grid.layers import Cost, Shape, cost
from gridgen.grid.tracing import Size, Trace, trace

PartName = Literal["stem", "lateral", "subsampling", "upsampling", "fusion", "head"]


@dataclass(frozen=True)
class Piece:
    """A part of a grid that costs something: a connection, the fusion at a map, the stem, the head.

    A connection includes the projection of its identity, a fusion the layers of its map.

    `name` is that of the connection or map. `stream` is where its output lies: a subsampling
    unit belongs to the lower of its two streams. The head belongs to the stream before it.
    Features that may enter beside the image are pieces of the part `stem`.
    """

    name: str
    part: PartName
    stream: int
    input: Shape
    output: Shape
    parameters: int
    activations: int
    macs: int


@dataclass(frozen=True)
class Group:
    """The number of pieces in a group, and the sums of their costs.

    `size` is that of the maps that they make, where all have the same.
    """

    name: str
    pieces: int
    size: Size | None
    parameters: int
    activations: int
    macs: int


@checked
def breakdown(grid: GridLike, size: SizeLike | None = None) -> tuple[Piece, ...]:
    """The costs of each piece of `grid`, in the order of computation; `size` is as for `count`.

    A fusion that has neither layers nor weights is no piece. Errors: `SizeError`.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> [(group.name, group.parameters) for group in per_stream(breakdown(grid))]
    [('stream 0', 1178), ('stream 1', 2104)]
    """
    grid = as_grid(grid)
    size = as_size(size)
    image = (grid.spec.in_channels, *counted_size(grid.spec, size))
    traced = trace(grid, image[1:])
    return (*_entering(grid, image, traced), *_inside(grid, traced), _leaving(grid, traced))


def _entering(grid: Grid, image: Shape, traced: Trace) -> Iterator[Piece]:
    """The stem, and the layers for features that may enter beside the image."""
    yield _piece("stem", "stem", grid.input.stream, image, cost(grid.stem, image))
    for side in grid.sides:
        place, shape = side.target, (side.channels, *traced.shapes[side.target][1:])
        yield _piece(place.name, "stem", place.stream, shape, cost(side.layers, shape))


def _inside(grid: Grid, traced: Trace) -> Iterator[Piece]:
    """The connections that arrive at each map, and the fusion there."""
    # A trace lists connections in the grid's order, which is also that of these loops.
    costs = iter(traced.connections)
    for target in grid.maps:
        for arrival in grid.into(target):
            shape = traced.shapes[arrival.source]
            yield _piece(arrival.name, arrival.kind, target.stream, shape, next(costs))
        if target.name in traced.fusions:
            spent = traced.fusions[target.name]
            yield _piece(target.name, "fusion", target.stream, traced.joined[target], spent)


def _leaving(grid: Grid, traced: Trace) -> Piece:
    place = grid.output
    return _piece("head", "head", place.stream, traced.shapes[place], traced.head)


def _piece(name: str, part: PartName, stream: int, shape: Shape, spent: Cost) -> Piece:
    """The piece with input `shape` that costs what was `spent`."""
    numbers = spent.parameters, spent.activations, spent.macs
    return Piece(name, part, stream, shape, spent.shape, *numbers)


def per_part(pieces: Iterable[Piece]) -> tuple[Group, ...]:
    """One group for each part, in the order of `PartName`."""
    parts = {part: [piece for piece in pieces if piece.part == part] for part in get_args(PartName)}
    return tuple(_group(part, members) for part, members in parts.items() if members)


def per_stream(pieces: Iterable[Piece]) -> tuple[Group, ...]:
    """One group for each stream, from above."""
    streams: dict[int, list[Piece]] = {}
    for piece in pieces:
        streams.setdefault(piece.stream, []).append(piece)
    return tuple(_group(f"stream {i}", streams[i]) for i in sorted(streams))


def per_connection(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Every piece by itself: the connections, and between them fusions, stem and head."""
    return tuple(pieces)


def _group(name: str, pieces: list[Piece]) -> Group:
    """The sums of `pieces`."""
    sizes = {piece.output[1:] for piece in pieces if piece.part != "head"}
    return Group(
        name,
        len(pieces),
        sizes.pop() if len(sizes) == 1 else None,
        sum(piece.parameters for piece in pieces),
        sum(piece.activations for piece in pieces),
        sum(piece.macs for piece in pieces),
    )


GROUPINGS: dict[str, Callable[[Iterable[Piece]], tuple[Piece | Group, ...]]] = {
    "part": per_part,
    "stream": per_stream,
    "connection": per_connection,
}
