"""Filling a grid by hand: connections and maps in any order, checked when it is done.

The paper's grid comes from a spec (`building.py`); every other network is a draft.
"""

from typing import TYPE_CHECKING, Annotated

from gridgen.arguments import checked
from gridgen.errors import GridError
from gridgen.grid.fusions import CONCAT, SUM, WEIGHTED, Fusion
from gridgen.grid.grid import Connection, FeatureMap, Grid, MapInfo
from gridgen.grid.layers import Layers, channels_after
from gridgen.grid.pruning import keep_alive
from gridgen.grid.validity import require_auxiliary_inputs, require_auxiliary_maps, require_shapes
from gridgen.spec import NetworkSpec

if TYPE_CHECKING:
    import networkx as nx

Place = Annotated[tuple[int, int], "a map as (stream, column), such as (0, 1)"]
UnitLayers = Annotated[Layers, "a tuple of layers"]


class Draft:
    """A grid on its way: what `connect` and `fuse` add, until `grid` makes it valid and frozen.

    Places are (stream, column). A stream is one resolution, so vertical connections resample.

    >>> from gridgen.grid.layers import Conv
    >>> from gridgen.spec import DraftSpec
    >>> draft = Draft()
    >>> draft.connect((0, 0), (0, 1), (Conv(4, 8),))
    >>> spec = DraftSpec(classes=2)
    >>> grid = draft.grid(spec, stem=(Conv(3, 4),), head=(Conv(8, 2, kernel=1),))
    >>> [c.name for c in grid], grid.channels_of(grid.output)
    (['lateral_0_1'], 8)
    """

    @checked
    def __init__(self) -> None:
        import networkx as nx  # here, since commands that build no grid start without it

        self._dag: nx.DiGraph[FeatureMap] = nx.DiGraph()
        self._fusions: dict[FeatureMap, tuple[Fusion, Layers]] = {}

    @checked
    def connect(
        self,
        source: Place,
        target: Place,
        unit: UnitLayers = (),
        *,
        shortcut: Layers | None = None,
        auxiliary: Place | None = None,
    ) -> None:
        """Connect two maps; without a unit, the map passes as it is.

        The identity is added where there is a `shortcut`: () as it is, or projected by layers.
        `auxiliary` is the second map that a `MaxUnpool` or `Resize` of the unit reads. Errors:
        `GridError`.
        """
        if min(*source, *target) < 0:
            raise GridError(f"{source} to {target}: streams and columns are counted from 0")
        connection = Connection(
            FeatureMap(*source),
            FeatureMap(*target),
            unit,
            shortcut,
            auxiliary=FeatureMap(*auxiliary) if auxiliary else None,
        )
        if self._dag.has_edge(connection.source, connection.target):
            raise GridError(f"{connection.name} is there already; two maps have one connection")
        self._dag.add_edge(connection.source, connection.target, connection=connection)

    @checked
    def fuse(self, target: Place, fusion: Fusion = SUM, after: Layers = ()) -> None:
        """Set the fusion of a map and the layers after it; otherwise the map is a bare sum.

        `fusion` is `SUM`, `CONCAT` or `WEIGHTED`; other layers belong to `after`. Errors:
        `GridError`.
        """
        if fusion not in (SUM, CONCAT, WEIGHTED):
            raise GridError(f"{fusion.description}: join with CONCAT and give the layers as after")
        self._fusions[FeatureMap(*target)] = fusion, after

    @checked
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
        import networkx as nx  # here, since commands that build no grid start without it

        entry, end = FeatureMap(*first), self._last(last)
        for place in {entry, end, *self._fusions} - set(self._dag):
            raise GridError(f"no connection touches {place}")
        if not nx.is_directed_acyclic_graph(self._dag):
            raise GridError("the connections form a cycle")
        dag = self._with_channels(entry, channels_after(stem, spec.in_channels))
        grid = Grid(dag, entry, end, stem, head, spec)
        alive = keep_alive(grid)
        if alive.dead_ends:
            dead = ", ".join(connection.name for connection in alive.dead_ends)
            raise GridError(f"{dead}: on no path from input to output")
        require_auxiliary_inputs(alive)
        require_auxiliary_maps(alive)
        require_shapes(alive)
        return alive

    def _last(self, place: Place | None) -> FeatureMap:
        """The map before the head."""
        if place is not None:
            return FeatureMap(*place)
        top = [feature_map for feature_map in self._dag if feature_map.stream == 0]
        if not top:
            raise GridError("no map is in stream 0; say with last where the head begins")
        return max(top)

    def _with_channels(self, entry: FeatureMap, channels: int) -> "nx.DiGraph[FeatureMap]":
        """A copy of the graph with the channels of every map, from what arrives there."""
        import networkx as nx  # here, since commands that build no grid start without it

        dag = self._dag.copy()
        nodes = dag.nodes
        for target in nx.topological_sort(self._dag):
            fusion, after = self._fusions.get(target, (SUM, ()))
            arriving = [
                channels_after(edge["connection"].unit, nodes[source]["info"].channels)
                for source, _, edge in self._dag.in_edges(target, data=True)
            ]
            if target == entry:
                arriving = [channels]
            if not arriving:
                raise GridError(f"nothing arrives at {target}")
            # Sums with other channels are refused later, with the names of the connections.
            joined = sum(arriving) if fusion.join == "concat" else arriving[0]
            nodes[target]["info"] = MapInfo(channels_after(after, joined), fusion, after)
        return dag
