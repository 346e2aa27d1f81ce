"""Exact counts of a grid: parameters, activations, MACs, paths. Never builds a network.

Counted are the layers of stem, units, shortcuts, fusions and head, as data; the module is lowered
from the same records. Sums (residual and fusion) have no layer and are not counted.
"""

from dataclasses import asdict, dataclass
from math import prod
from typing import Any

from gridgen.analysis.paths import count_paths
from gridgen.analysis.sizes import SizeLike, as_size, counted_size
from gridgen.arguments import checked, checked_fields
from gridgen.grid import GridLike, as_grid
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size, trace
from gridgen.shown import Shown, ShownRows
from gridgen.spec import GridSpec, NetworkSpec
from gridgen.text import number_text


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
    """Number of connections that are kept, and of those in the full grid."""

    kept: int
    full: int


@checked_fields
@dataclass(frozen=True, repr=False)
class Count(Shown):
    """The costs of a grid, activations and MACs for an image of `size`, as the size policy changes
    it. `as_json` has the same keys as the attributes.
    """

    parameters: Parameters
    activations: Activations
    macs: Macs
    connections: Connections
    maps: int
    paths: int
    size: Size

    def rows(self) -> ShownRows:
        """The totals."""
        return [
            ("parameters", number_text(self.parameters.total)),
            ("activations", number_text(self.activations.total)),
            ("MACs", number_text(self.macs.total)),
            ("of an image of", shape_text(self.size)),
            ("connections", f"{self.connections.kept} of {self.connections.full}"),
            ("maps", number_text(self.maps)),
            ("paths", number_text(self.paths)),
        ]

    def as_json(self) -> dict[str, Any]:
        """Nested dictionaries of plain numbers."""
        return asdict(self)


@checked
def count(grid: GridLike, size: SizeLike | None = None) -> Count:
    """Count `grid` exactly for one image of `size` (height, width).

    Without a size, the smallest legal one that holds the paper's 400 x 400 (`default_size`). Where
    the spec's size policy changes the image, activations and MACs are those of the changed one.
    Errors: `SizeError`.

    >>> from gridgen.grid import build_grid
    >>> spec = GridSpec(streams=5, columns="3+3", base_channels=16, classes=19)
    >>> counted = count(build_grid(spec), size=(400, 400))
    >>> counted.parameters.total, counted.paths
    (13181097, 371)
    """
    grid = as_grid(grid)
    size = as_size(size)
    spec = grid.spec
    image = counted_size(spec, size)
    traced = trace(grid, image)
    stem, head = traced.stem, traced.head
    parts = [*traced.connections, *traced.fusions.values()]
    parameters = sum(part.parameters for part in parts)
    activations = sum(part.activations for part in parts)
    macs = sum(part.macs for part in parts)
    by_paper = paper_parameters(spec), paper_activations(spec, image)
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
        Connections(kept=len(grid.dag.edges), full=len(grid.full.dag.edges)),
        maps=len(grid.dag),
        paths=count_paths(grid),
        size=image,
    )


def paper_parameters(spec: NetworkSpec) -> int | None:
    """Section 3.2 approximates 18 * 2^(2 (N_S - 1)) * F_0^2 * (2.5 N_Cs + N_Cu - 2) parameters.

    It speaks of the full grid with the paper's units, and knows nothing of biases, BN, stem or
    head. None for grids of other dimensions than images have, and where channels do not double from
    stream to stream.
    """
    if not isinstance(spec, GridSpec) or not spec.doubling or spec.dimensions != 2:
        return None
    base, sub, up = spec.stream_channels[0], spec.sub_columns, spec.up_columns
    # 9 * (5 ... - 4) is 18 * (2.5 ... - 2) in whole numbers.
    return 9 * base**2 * int(4 ** (spec.streams - 1)) * (5 * sub + 2 * up - 4)


def paper_activations(spec: NetworkSpec, size: Size) -> int | None:
    """Section 3.2 approximates 6 H_0 W_0 F_0 (4 N_Cu + 3 N_Cs - 2), here for an image of `size`.

    None as for `paper_parameters`.
    """
    if not isinstance(spec, GridSpec) or not spec.doubling or spec.dimensions != 2:
        return None
    base, sub, up = spec.stream_channels[0], spec.sub_columns, spec.up_columns
    # H_0 and W_0 are those of stream 0, which a strided stem makes smaller than the image.
    return 6 * prod(side // spec.stride for side in size) * base * (4 * up + 3 * sub - 2)


def _ratio(approximation: int | None, exact: int) -> float | None:
    return approximation / exact if approximation is not None and exact else None
