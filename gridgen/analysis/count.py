"""Exact counts of a grid: parameters, activations, MACs, paths. Never builds a network.

Counted are the layers of stem, units, shortcuts, fusions and head, as data; the module is lowered
from the same records. Sums (residual and fusion) have no layer and are not counted.
"""

from dataclasses import asdict, dataclass
from typing import Any

from gridgen.analysis import paper
from gridgen.analysis.paths import count_paths
from gridgen.errors import SizeError
from gridgen.grid import FeatureMap, Grid
from gridgen.grid.layers import Layers, Shape, cost
from gridgen.spec import GridSpec

Size = tuple[int, int]
MAX_SIDE = 65536
PAPER_SIZE = (400, 400)


@dataclass(frozen=True)
class Parameters:
    """Trainable values. `paper` is section 3.2's approximation, `paper_ratio` paper / grid."""

    total: int
    grid: int
    stem: int
    head: int
    paper: int | None
    paper_ratio: float | None


@dataclass(frozen=True)
class Activations:
    """Values in the outputs of all layers, for one image; `paper_ratio` is paper / grid."""

    total: int
    grid: int
    paper: int | None
    paper_ratio: float | None


@dataclass(frozen=True)
class Macs:
    """Multiply-accumulates of all convolutions, for one image."""

    total: int
    grid: int


@dataclass(frozen=True)
class Connections:
    """Connections kept, of those in the full grid."""

    kept: int
    full: int


@dataclass(frozen=True)
class Count:
    """What a grid costs. `as_json` has the same keys as the attributes."""

    parameters: Parameters
    activations: Activations
    macs: Macs
    connections: Connections
    maps: int
    paths: int

    def as_json(self) -> dict[str, Any]:
        """Nested dictionaries of plain numbers."""
        return asdict(self)


def count(grid: Grid, size: Size | None = None) -> Count:
    """Exact counts of `grid` for one image of `size` (height, width).

    Without a size, the smallest legal one that holds the paper's 400 x 400. With `size: pad` in
    the spec, activations and MACs are those of the padded image. Errors: `SizeError`.

    >>> from gridgen.grid import build_grid
    >>> spec = GridSpec.of(streams=5, columns="3+3", base_channels=16, classes=19)
    >>> counted = count(build_grid(spec), size=(400, 400))
    >>> counted.parameters.total, counted.paths
    (13181097, 371)
    """
    spec = grid.spec
    height, width = counted_size(spec, size)
    image = (spec.in_channels, height, width)
    stem = cost(grid.stem, image)
    top = (grid.channels_of(grid.output), height, width)
    head = cost(grid.head, top)
    parameters = activations = macs = 0
    for layers, shape in parts(grid, (height, width)):
        part = cost(layers, shape)
        parameters += part.parameters
        activations += part.activations
        macs += part.macs
    by_paper = _paper(spec, (height, width))
    return Count(
        Parameters(
            total=stem.parameters + parameters + head.parameters,
            grid=parameters,
            stem=stem.parameters,
            head=head.parameters,
            paper=by_paper[0],
            paper_ratio=_ratio(by_paper[0], parameters),
        ),
        Activations(
            total=stem.activations + activations + head.activations,
            grid=activations,
            paper=by_paper[1],
            paper_ratio=_ratio(by_paper[1], activations),
        ),
        Macs(total=stem.macs + macs + head.macs, grid=macs),
        Connections(kept=len(grid.connections), full=len(grid.full.connections)),
        maps=len(grid.maps),
        paths=count_paths(grid),
    )


def counted_size(spec: GridSpec, size: Size | None) -> Size:
    """The size that `count` counts for: `size` where legal, else the default rounded up."""
    return legal_size(spec, size or padded_size(spec, PAPER_SIZE))


def legal_size(spec: GridSpec, size: Size) -> Size:
    """`size` (height, width) as the grid works on it: padded, or refused with a `SizeError`."""
    height, width = size
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise SizeError(f"Image is {height}x{width}; each side must be from 1 to {MAX_SIDE}.")
    padded = padded_size(spec, size)
    if padded == size or spec.size == "pad":
        return padded
    raise SizeError(
        f"Image is {height}x{width}; {spec.streams} streams need multiples of {spec.multiple}. "
        f"Pad to {padded[0]}x{padded[1]}, or set size: pad."
    )


def padded_size(spec: GridSpec, size: Size) -> Size:
    """The smallest (height, width) that all streams divide and that holds `size`."""
    step = spec.multiple
    return -(-size[0] // step) * step, -(-size[1] // step) * step


def shape_of(grid: Grid, feature_map: FeatureMap, size: Size) -> Shape:
    """Shape of a map for a legal image `size`."""
    stream = feature_map.stream
    return grid.channels_of(feature_map), size[0] >> stream, size[1] >> stream


def parts(grid: Grid, size: Size) -> list[tuple[Layers, Shape]]:
    """The layers of every unit, shortcut and fusion, with the shape that enters them."""
    found = []
    for connection in grid:
        entering = shape_of(grid, connection.source, size)
        found.append((connection.unit, entering))
        if connection.shortcut:
            found.append((connection.shortcut, entering))
    for target in grid.maps:
        layers = grid.fusion_layers(target)
        if layers:
            found.append((layers, _joined(grid, target, size)))
    return found


def _joined(grid: Grid, target: FeatureMap, size: Size) -> Shape:
    channels, height, width = shape_of(grid, target, size)
    arrivals = grid.dag.in_degree(target) if grid.fusion_of(target).join == "concat" else 1
    return channels * arrivals, height, width


def _paper(spec: GridSpec, size: Size) -> tuple[int | None, int | None]:
    if not spec.doubling:
        return None, None
    base = spec.stream_channels[0]
    sub, up = spec.sub_columns, spec.up_columns
    return (
        paper.parameters(spec.streams, base, sub, up),
        paper.activations(base, sub, up, *size),
    )


def _ratio(approximation: int | None, exact: int) -> float | None:
    return approximation / exact if approximation is not None and exact else None
