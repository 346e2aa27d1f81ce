"""The intermediate representation: feature maps, the connections between them, and the Grid.

Everything downstream (counts, pictures, modules) reads a Grid and nothing else. Passes live in
their own files; each takes a valid Grid and returns a new valid one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from gridgen.errors import GridError
from gridgen.files import sha256
from gridgen.grid.fusions import Fusion
from gridgen.grid.layers import Layers, buffers_of, channels_after, tensors_of
from gridgen.grid.units import Kind
from gridgen.spec import NetworkSpec

if TYPE_CHECKING:
    import networkx as nx

MOST_SHOWN = 500
"""Maps of a grid that a notebook draws."""
PREFIX: dict[Kind, str] = {"lateral": "lateral", "subsampling": "sub", "upsampling": "up"}
STEP: dict[Kind, tuple[int, int]] = {
    "lateral": (0, 1),
    "subsampling": (1, 0),
    "upsampling": (-1, 0),
}
"""From source to target in the paper's lattice: streams down, columns along."""


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
class MapInfo:
    """A feature map's channels, and the fusion that makes it of the connections that arrive.

    `after` are the map's own layers, after those that the fusion needs.
    """

    channels: int
    fusion: Fusion
    after: Layers = ()


@dataclass(frozen=True, slots=True, repr=False)
class Connection:
    """A unit between two feature maps, and whether the identity is added to what it computes.

    `shortcut` is None where it is not; the layers that project the identity where it is, and
    these are () where it passes as it is. `dropout` is the probability that total dropout
    (section 3.1) sets the unit, never the identity, to zero in a training step. A unit of no
    layers passes the map as it is. `auxiliary` is a second map that a layer of the unit reads:
    an unpooling the positions of the maxima, a resizing the size.
    """

    source: FeatureMap
    target: FeatureMap
    unit: Layers
    shortcut: Layers | None = None
    dropout: float = 0.0
    auxiliary: FeatureMap | None = None

    def __repr__(self) -> str:
        return f"Connection({self.name}, {self.source} to {self.target})"

    @property
    def inputs(self) -> tuple[FeatureMap, ...]:
        """The maps that the connection reads: its source and its auxiliary input."""
        return (self.source,) if self.auxiliary is None else (self.source, self.auxiliary)

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


@dataclass(frozen=True, repr=False)
class Grid:
    """Feature maps and connections between a stem and a head.

    Valid by construction: acyclic, one input, one output, every map on a path from the input to
    the output. `dag` is frozen; its nodes carry a `MapInfo` as `info`, its edges a `connection`,
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

    def __repr__(self) -> str:
        kept = f"{len(self.dag.edges)} of {len(self.full.dag.edges)} connections"
        return f"Grid({self.spec.title}: {self.spec.shape}; {kept})"

    def _repr_svg_(self) -> str | None:
        # Graphviz takes seconds for grids of thousands of maps, which no notebook can show.
        if len(self.dag) > MOST_SHOWN:
            return None
        # Against the order of the rooms: a notebook asks the grid for its picture.
        from gridgen.render import draw

        return draw(self)._repr_svg_()

    @property
    def full(self) -> "Grid":
        """The grid before pruning: all connections that the spec's lattice lays."""
        return self.unpruned or self

    @cached_property
    def maps(self) -> tuple[FeatureMap, ...]:
        """Feature maps in the one order in which they are computed: column by column.

        Topological, and independent of how the graph was filled.
        """
        import networkx as nx  # here, since commands that build no grid start without it

        # Plain topological sorts depend on the order of insertion; names and weights must not.
        return tuple(nx.lexicographical_topological_sort(self.dag, key=_by_column))

    def into(self, target: FeatureMap) -> list[Connection]:
        """The connections that arrive at `target`, lateral first. Errors: `GridError`."""
        try:
            arrivals = [edge["connection"] for edge in self.dag.pred[target].values()]
        except (KeyError, TypeError):
            raise _unknown_map(target) from None
        # Most maps of a pruned grid have one arrival, which needs no sorting.
        if len(arrivals) > 1:
            arrivals.sort(key=lambda arrival: (arrival.kind, arrival.source))
        return arrivals

    @cached_property
    def connections(self) -> tuple[Connection, ...]:
        """All connections, in the order in which they are computed."""
        return tuple(arrival for target in self.maps for arrival in self.into(target))

    def __iter__(self) -> Iterator[Connection]:
        return iter(self.connections)

    def info(self, feature_map: FeatureMap) -> MapInfo:
        """Channels, fusion and layers of a map. Errors: `GridError` for one that is not there."""
        try:
            info: MapInfo = self.dag.nodes[feature_map]["info"]
        except (KeyError, TypeError):
            raise _unknown_map(feature_map) from None
        return info

    def channels_of(self, feature_map: FeatureMap) -> int:
        """Channels of a map; in the paper F_i of its stream."""
        return self.info(feature_map).channels

    def fusion_of(self, target: FeatureMap) -> Fusion:
        """The fusion that joins the connections into `target`."""
        return self.info(target).fusion

    def fusion_layers(self, target: FeatureMap) -> Layers:
        """All layers after the fusion at `target`."""
        info = self.info(target)
        if info.fusion.join == "concat" and target != self.input:
            joined, dimensions = self.joined(target), self.spec.dimensions
            return (*info.fusion.layers(joined, info.channels, dimensions), *info.after)
        return info.after

    def joined(self, target: FeatureMap) -> int:
        """Channels of what the fusion at `target` joins, before its layers."""
        arrivals = [
            channels_after(arrival.unit, self.channels_of(arrival.source))
            for arrival in self.into(target)
        ]
        return sum(arrivals) if self.fusion_of(target).join == "concat" else arrivals[0]

    @property
    def fingerprint(self) -> str:
        """A hash that is equal for grids of the same network, whatever their specs say.

        They predict the same by the same layers under the same names, in training too, and take
        the same sizes of images: connections, what joins several of them, layers, total dropout
        and size policy are equal.
        """
        spec, joined = self.spec, [x for x in self.maps if self.dag.in_degree(x) > 1]
        known = (
            (spec.size, spec.multiple, spec.least),
            (self.input, self.output, self.sides),
            [tuple(getattr(c, field.name) for field in fields(Connection)) for c in self],
            [(x, self.fusion_of(x).join) for x in joined],
            list(self.parts()),
        )
        return sha256(repr(known).encode())

    def parts(self) -> Iterator[tuple[str, Layers]]:
        """Every sequence of layers, with the prefix of its names in the network's `state_dict`.

        In the order in which the network registers them; sequences without layers are left out.
        """
        yield "stem", self.stem
        yield from ((f"sides.{side.target.name}", side.layers) for side in self.sides)
        yield from ((f"units.{c.name}", c.unit) for c in self if c.unit)
        yield from ((f"shortcuts.{c.name}", c.shortcut) for c in self if c.shortcut)
        for target in self.maps:
            if layers := self.fusion_layers(target):
                yield f"fusions.{target.name}", layers
        yield "head", self.head

    def tensors(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Name and shape of every trainable tensor of the network, fusion weights last."""
        for name, layers in self.parts():
            yield from tensors_of(layers, f"{name}.")
        yield from ((f"weights.{name}", (number,)) for name, number in self.fusion_weights())

    def fusion_weights(self) -> Iterator[tuple[str, int]]:
        """The maps whose fusion is weighted, by name, and the number of their weights."""
        for target in self.maps:
            if number := self.fusion_of(target).weights(self.dag.in_degree(target)):
                yield target.name, number

    def buffers(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Name and shape of every buffer of the network."""
        for name, layers in self.parts():
            yield from buffers_of(layers, f"{name}.")


def _unknown_map(given: object) -> GridError:
    return GridError(f"the grid has no map {given}; give one of grid.maps, or (stream, column)")


def _by_column(feature_map: FeatureMap) -> tuple[int, int]:
    return feature_map.column, feature_map.stream
