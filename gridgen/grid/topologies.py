"""Topologies: which connections of the full grid are kept. Add one predicate and one line.

They are the *grid's* subgraphs of section 2 and figure 3, with the grid's summing residual
units, not the published networks whose names they recall.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from gridgen.errors import TopologyError
from gridgen.grid.grid import Connection
from gridgen.spec import GridSpec, shorten

Topology = Callable[[Connection, GridSpec], bool]


@dataclass(frozen=True)
class Descent:
    """The columns in which the single path of the conv-deconv network goes down and up.

    Staircase: one stream per column, where there are at least N_S - 1 sub and as many up columns
    (figure 3 can be read so); ladder: all the way down in the first column and up in the last,
    otherwise. The paper does not say which it draws.
    """

    spec: GridSpec

    @cached_property
    def staircase(self) -> bool:
        """True if the columns allow a staircase."""
        # The paper draws only one of both; docs/choices.md says why the staircase comes first.
        steps = self.spec.streams - 1
        return min(self.spec.sub_columns, self.spec.up_columns) >= steps

    @property
    def shape(self) -> str:
        """Staircase or ladder, in a few words."""
        if self.staircase:
            return "staircase: one stream per column"
        return f"ladder: down in column 0, up in column {self.last}"

    @property
    def last(self) -> int:
        """Index of the last column."""
        return len(self.spec.columns) - 1

    def down(self, stream: int) -> int:
        """The column in which the path enters `stream` from above."""
        return max(stream - 1, 0) if self.staircase else 0

    def up(self, stream: int) -> int:
        """The column in which the path enters `stream` from below."""
        return self.last - stream if self.staircase else self.last

    def leave(self, stream: int) -> int:
        """The column in which the path leaves `stream` for the one above."""
        return self.last if stream == 0 else self.up(stream - 1)


def gridnet(connection: Connection, spec: GridSpec) -> bool:
    """All connections: the paper's GridNet (figure 1)."""
    return True


def conv_deconv(connection: Connection, spec: GridSpec) -> bool:
    """One path without branches: down, along the lowest stream, up (figure 3, blue)."""
    path, (stream, column) = _descent(spec), connection.target
    if connection.kind == "subsampling":
        return column == path.down(stream)
    if connection.kind == "upsampling":
        return column == path.up(stream)
    if stream == spec.streams - 1:
        return path.down(stream) < column <= path.leave(stream)
    going_down = path.down(stream) < column <= path.down(stream + 1)
    coming_up = path.up(stream) < column <= path.leave(stream)
    return going_down or coming_up


def unet(connection: Connection, spec: GridSpec) -> bool:
    """The conv-deconv path and each stream's laterals across it (figure 3, green).

    The grid's summing residual U-Net; the U-Net of 2015 concatenates and has other units.
    """
    path, (stream, column) = _descent(spec), connection.target
    skip = connection.kind == "lateral" and path.down(stream) < column <= path.leave(stream)
    return skip or conv_deconv(connection, spec)


def frrn(connection: Connection, spec: GridSpec) -> bool:
    """The conv-deconv path and a full-resolution stream, joined in every column (figure 3, yellow).

    The grid's FRRN-shaped subgraph, not the FRRN: there, encoder units read and write stream 0
    in one column, which a column of one direction cannot do.
    """
    path, (stream, column) = _descent(spec), connection.target
    if connection.kind == "subsampling":
        return column >= path.down(stream)
    if connection.kind == "upsampling":
        return column <= path.up(stream)
    return stream == 0 or conv_deconv(connection, spec)


def resnet(connection: Connection, spec: GridSpec) -> bool:
    """Stream 0 alone: a pre-activation residual network at full resolution."""
    return connection.kind == "lateral" and connection.target.stream == 0


def _descent(spec: GridSpec) -> Descent:
    both = spec.sub_columns > 0 and spec.up_columns > 0
    if not spec.descends_once or (spec.streams > 1 and not both):
        raise TopologyError(
            f"conv-deconv, unet and frrn go down and up once; columns {shorten(spec.columns)} "
            "are not sub columns, then up columns",
            ("topology",),
        )
    return Descent(spec)


TOPOLOGIES: dict[str, Topology] = {
    "gridnet": gridnet,
    "conv-deconv": conv_deconv,
    "unet": unet,
    "frrn": frrn,
    "resnet": resnet,
}


DESCENDING = ("conv-deconv", "unet", "frrn")
"""Topologies that follow the one path down and up."""

NOTES = {
    "unet": "the grid's summing residual U-Net, not the U-Net of 2015",
    "frrn": "the grid's FRRN-shaped subgraph, not the FRRN",
}
"""Said beside a topology's name wherever a user could take it for the published network."""
