"""The intermediate representation: feature maps, the connections between them, and the Grid.

Everything downstream (counts, pictures, modules) reads a Grid and nothing else. Passes live in
their own files; each takes a valid Grid and returns a new valid one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import networkx as nx

from gridgen.grid.fusions import Fusion
from gridgen.grid.layers import Layers, channels_after
from gridgen.grid.units import Kind
from gridgen.spec import NetworkSpec

PREFIX: dict[Kind, str] = {"lateral": "lateral", "subsampling": "sub", "upsampling": "up"}
# From source to target in the paper's lattice: streams down, columns along.
STEP: dict[Kind, tuple[int, int]] = {
    "lateral": (0, 1),
    "subsampling": (1, 0),
    "upsampling": (-1, 0),
}


class FeatureMap(NamedTuple):
    """X(i, j) of section 3; itself the node of the graph."""

    stream: int
    column: int

    def __str__(self) -> str:
        return f"X({self.stream}, {self.column})"

    @property
    def name(self) -> str:
        """`map_I_J`."""
        return f"map_{self.stream}_{self.column}"


def kind_between(source: FeatureMap, target: FeatureMap) -> Kind:
    """The kind of a connection between two maps, which their streams say."""
    if source.stream == target.stream:
        return "lateral"
    return "subsampling" if source.stream < target.stream else "upsampling"


@dataclass(frozen=True, slots=True)
class Fused:
    """What a feature map is: its channels, and how the connections that arrive become it.

    `after` are the map's own layers, after those that the fusion needs.
    """

    channels: int
    fusion: Fusion
    after: Layers = ()


@dataclass(frozen=True, slots=True)
class Connection:
    """A unit between two feature maps, and whether the identity is added to what it computes.

    `shortcut` is None where it is not; the layers that project the identity where it is, and
    these are () where it passes as it is. `dropout` is the probability that total dropout
    (section 3.1) sets the unit, never the identity, to zero in a training step. A unit of no
    layers passes the map as it is. `reads` is a further map that a layer of the unit looks at:
    an unpooling for where the maxima were, a resizing for its size.
    """

    source: FeatureMap
    target: FeatureMap
    unit: Layers
    shortcut: Layers | None = None
    dropout: float = 0.0
    reads: FeatureMap | None = None

    @property
    def kind(self) -> Kind:
        """Lateral within a stream, subsampling to a lower one, upsampling to a higher one."""
        return kind_between(self.source, self.target)

    @property
    def name(self) -> str:
        """`lateral_I_J`, `sub_I_J` or `up_I_J`, with the coordinates of the target.

        Where the source is not the neighbour in the paper's lattice, `_from_K_L` follows.
        """
        name = f"{PREFIX[self.kind]}_{self.target.stream}_{self.target.column}"
        down, along = STEP[self.kind]
        if self.source == (self.target.stream - down, self.target.column - along):
            return name
        return f"{name}_from_{self.source.stream}_{self.source.column}"

    @property
    def parameters(self) -> int:
        """Trainable values of the unit and of the projection of its identity."""
        return sum(layer.parameters for layer in (*self.unit, *(self.shortcut or ())))


@dataclass(frozen=True, slots=True)
class Side:
    """Features of `channels` that may enter at `target`: `layers` make them what is added there."""

    target: FeatureMap
    channels: int
    layers: Layers


@dataclass(frozen=True)
class Grid:
    """Feature maps and connections between a stem and a head.

    Valid by construction: acyclic, one input, one output, every map on a path from the input to
    the output. `dag` is frozen; its nodes carry what is `fused` there, its edges a `connection`,
    whose name no other edge has. `spec` is what the grid was made
    from, its topology included, so that a grid can be made again from what an artifact stores.
    `dead_ends` are connections that were asked for and removed because no such path uses them.
    `sides` are where features may enter beside the image, each at a map of its own.
    """

    dag: "nx.DiGraph[FeatureMap]"
    input: FeatureMap
    output: FeatureMap
    stem: Layers
    head: Layers
    spec: NetworkSpec
    dead_ends: tuple[Connection, ...] = ()
    sides: tuple[Side, ...] = ()
    unpruned: "Grid | None" = field(default=None, repr=False)

    @property
    def full(self) -> "Grid":
        """The grid before pruning: all connections that the spec's lattice lays."""
        return self.unpruned or self

    @cached_property
    def maps(self) -> tuple[FeatureMap, ...]:
        """Feature maps in the one order in which they are computed: column by column.

        Topological, and independent of how the graph was filled.
        """
        return tuple(nx.lexicographical_topological_sort(self.dag, key=_by_column))

    def into(self, target: FeatureMap) -> list[Connection]:
        """The connections that arrive at `target`, lateral first."""
        arrivals = [edge["connection"] for edge in self.dag.pred[target].values()]
        if len(arrivals) > 1:
            arrivals.sort(key=lambda arrival: (arrival.kind, arrival.source))
        return arrivals

    @cached_property
    def connections(self) -> tuple[Connection, ...]:
        """All connections, in the order in which they are computed."""
        return tuple(arrival for target in self.maps for arrival in self.into(target))

    def __iter__(self) -> Iterator[Connection]:
        return iter(self.connections)

    def fused(self, feature_map: FeatureMap) -> Fused:
        """What a map is, and how what arrives becomes it."""
        record: Fused = self.dag.nodes[feature_map]["fused"]
        return record

    def channels_of(self, feature_map: FeatureMap) -> int:
        """Channels of a map; in the paper F_i of its stream."""
        return self.fused(feature_map).channels

    def fusion_of(self, target: FeatureMap) -> Fusion:
        """How the connections that arrive at `target` are joined."""
        return self.fused(target).fusion

    def fusion_layers(self, target: FeatureMap) -> Layers:
        """All layers after the fusion at `target`."""
        fused = self.fused(target)
        if fused.fusion.join == "concat" and target != self.input:
            return (*fused.fusion.after(self.joined(target), fused.channels), *fused.after)
        return fused.after

    def joined(self, target: FeatureMap) -> int:
        """Channels of what the fusion at `target` joins, before its layers."""
        arrivals = [
            channels_after(arrival.unit, self.channels_of(arrival.source))
            for arrival in self.into(target)
        ]
        return sum(arrivals) if self.fusion_of(target).join == "concat" else arrivals[0]


def _by_column(feature_map: FeatureMap) -> tuple[int, int]:
    return feature_map.column, feature_map.stream
