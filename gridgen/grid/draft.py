"""Filling a grid by hand: connections and maps in any order, checked when it is done.

The paper's grid comes from a spec (`build.py`); every other network is a draft.
"""

import networkx as nx

from gridgen.errors import GridError
from gridgen.grid.fusions import SUM, Fusion
from gridgen.grid.grid import Connection, FeatureMap, Fused, Grid
from gridgen.grid.keep import keep_alive
from gridgen.grid.layers import Layers, MaxPool, MaxUnpool, Resize, Shape, channels_after
from gridgen.grid.trace import shape_text, trace
from gridgen.spec import NetworkSpec

Place = tuple[int, int]


class Draft:
    """A grid on its way: what `connect` and `fuse` add, until `grid` makes it valid and frozen.

    Places are (stream, column). A stream is one resolution, so vertical connections resample.

    >>> from gridgen.grid.layers import Conv
    >>> from gridgen.spec import GridSpec
    >>> draft = Draft()
    >>> draft.connect((0, 0), (0, 1), (Conv(4, 8),))
    >>> spec = GridSpec.of(streams=1, columns="1+1", base_channels=4, classes=2)
    >>> grid = draft.grid(spec, stem=(Conv(3, 4),), head=(Conv(8, 2, kernel=1),))
    >>> [c.name for c in grid], grid.channels_of(grid.output)
    (['lateral_0_1'], 8)
    """

    def __init__(self) -> None:
        self._dag: nx.DiGraph[FeatureMap] = nx.DiGraph()
        self._fusions: dict[FeatureMap, tuple[Fusion, Layers]] = {}

    def connect(
        self,
        source: Place,
        target: Place,
        unit: Layers = (),
        *,
        shortcut: Layers | None = None,
        reads: Place | None = None,
    ) -> None:
        """Connect two maps; without a unit, the map passes as it is. Errors: `GridError`."""
        connection = Connection(
            FeatureMap(*source),
            FeatureMap(*target),
            unit,
            shortcut,
            reads=FeatureMap(*reads) if reads else None,
        )
        if self._dag.has_edge(connection.source, connection.target):
            raise GridError(f"{connection.name} is there already; two maps have one connection")
        self._dag.add_edge(connection.source, connection.target, connection=connection)

    def fuse(self, target: Place, fusion: Fusion = SUM, after: Layers = ()) -> None:
        """How what arrives at a map is joined, and the map's own layers; a bare sum if not said."""
        self._fusions[FeatureMap(*target)] = fusion, after

    def grid(
        self,
        spec: NetworkSpec,
        *,
        stem: Layers,
        head: Layers,
        first: Place = (0, 0),
        last: Place | None = None,
    ) -> Grid:
        """The grid from the map `first` (after `stem`) to `last` (before `head`).

        `last` is the last map of stream 0 where it is not given.

        Errors: `GridError` where it has a cycle, a map on no path, shapes that disagree, or a
        prediction that is not of the image's size.
        """
        entry = FeatureMap(*first)
        if not nx.is_directed_acyclic_graph(self._dag):
            raise GridError("the connections form a cycle")
        end = FeatureMap(*last) if last else max(x for x in self._dag if x.stream == 0)
        self._set_channels(entry, channels_after(stem, spec.in_channels))
        grid = Grid(self._dag, entry, end, stem, head, spec)
        alive = keep_alive(grid)
        if alive.dead_ends:
            dead = ", ".join(connection.name for connection in alive.dead_ends)
            raise GridError(f"{dead}: on no path from input to output")
        _check(alive)
        return alive

    def _set_channels(self, entry: FeatureMap, channels: int) -> None:
        """The channels of every map, from what arrives there."""
        nodes = self._dag.nodes
        for target in nx.topological_sort(self._dag):
            fusion, after = self._fusions.get(target, (SUM, ()))
            arriving = [
                channels_after(edge["connection"].unit, nodes[source]["fused"].channels)
                for source, _, edge in self._dag.in_edges(target, data=True)
            ]
            if target == entry:
                arriving = [channels]
            if not arriving:
                raise GridError(f"nothing arrives at X({target.stream}, {target.column})")
            joined = sum(arriving) if fusion.join == "concat" else arriving[0]
            nodes[target]["fused"] = Fused(channels_after(after, joined), fusion, after)


def _check(grid: Grid) -> None:
    """What a grid of any shape must keep to, at its smallest legal image."""
    for connection in grid:
        _check_reading(grid, connection)
    side = grid.spec.least
    traced = trace(grid, (side, side))
    if traced.head.shape != (grid.spec.classes, side, side):
        raise GridError(f"{shape_text(traced.head.shape)} is predicted for {side}x{side}")
    streams: dict[int, Shape] = {}
    for feature_map, shape in traced.shapes.items():
        before = streams.setdefault(feature_map.stream, shape)
        if shape[1:] != before[1:]:
            raise GridError(
                f"X({feature_map.stream}, {feature_map.column}) is {shape_text(shape)}, "
                f"another of its stream {shape_text(before)}; a stream has one resolution"
            )


def _check_reading(grid: Grid, connection: Connection) -> None:
    """A layer that looks at a further map finds there what it needs, computed before."""
    looking = [layer for layer in connection.unit if isinstance(layer, MaxUnpool | Resize)]
    if not looking and connection.reads is None:
        return
    seen = connection.reads
    if seen is None or seen not in nx.ancestors(grid.dag, connection.target):
        raise GridError(f"{connection.name} reads no map on the way to it; say which with reads")
    for layer in looking:
        if isinstance(layer, MaxUnpool) and not _pools(grid, seen, layer.pooling):
            raise GridError(
                f"{connection.name}: {layer.pooling} is no connection from "
                f"X({seen.stream}, {seen.column}) that begins with a 2x2 maximum"
            )


def _pools(grid: Grid, source: FeatureMap, name: str) -> bool:
    """Whether the connection `name` leaves `source` and begins with a pooling to be undone."""
    leaving = [edge["connection"] for _, _, edge in grid.dag.out_edges(source, data=True)]
    return any(c.name == name and c.unit[:1] == (MaxPool(),) for c in leaving)
