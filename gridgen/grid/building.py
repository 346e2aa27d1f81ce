"""Builds the grid of a spec, prunes it, and lists the names that a spec may use."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import product
from operator import attrgetter
from typing import Annotated, Any, Protocol, runtime_checkable

from gridgen.arguments import checked, described
from gridgen.errors import SpecError, TopologyError, UsageError, unknown
from gridgen.grid.architecture import Architecture
from gridgen.grid.ends import HEADS, STEMS, head_layers, side_layers, stem_layers
from gridgen.grid.fusions import FUSIONS
from gridgen.grid.grid import Connection, FeatureMap, Grid, MapInfo, Side, kind_between
from gridgen.grid.lattices import paper_lattice
from gridgen.grid.layers import Layers
from gridgen.grid.pruning import keep_alive, pruned, subgraph
from gridgen.grid.styles import ACTIVATIONS, NORMS, RENAMED, style_of
from gridgen.grid.topologies import TOPOLOGIES
from gridgen.grid.units import UNITS, Kind, shortcut_layers, unit_layers
from gridgen.spec import CustomTopology, GridSpec, NetworkSpec

NAMED: dict[str, Mapping[str, object]] = {
    **{f"units.{kind}": table for kind, table in UNITS.items()},
    "fusion": FUSIONS,
    "norm": NORMS,
    "activation": ACTIVATIONS,
    "stem": STEMS,
    "head": HEADS,
    "topology": TOPOLOGIES,
}
"""The fields of a spec that hold a name, and the tables in which it stands."""


@runtime_checkable
class HasGrid(Protocol):
    """A network that was made of a grid."""

    @property
    def grid(self) -> Grid:
        """What the network was made of."""
        ...


GridLike = Annotated[
    Grid | NetworkSpec | HasGrid, "a Grid, a spec or a GridNetwork (load_spec reads specs)"
]
TopologyLike = Annotated[
    str | CustomTopology | Mapping[str, Sequence[str] | None],
    "a topology's name or CustomTopology(keep=[...]), CustomTopology(drop=[...])",
]


def as_grid(network: GridLike) -> Grid:
    """The grid of a spec or of a network; a grid is itself. Errors: as `build_grid`."""
    match network:
        case Grid():
            return network
        case NetworkSpec():
            return build_grid(network)
        case HasGrid():
            return network.grid
    raise UsageError(f"{network!r} is {type(network).__name__}; give {described(GridLike)}")


AnySpec = Annotated[NetworkSpec, "a spec (load_spec reads one)"]


@checked
def build_grid(spec: AnySpec) -> Grid:
    """The grid that `spec` describes, its topology (where it names one) applied.

    Errors: `SpecError` for a unit, fusion, stem or head that does not exist, and for a stream
    that no path from input to output can visit; `TopologyError` as `prune`.

    >>> spec = GridSpec(streams=5, columns="3+3", base_channels=16, classes=19)
    >>> grid = build_grid(spec)
    >>> len(grid.maps), len(grid.connections), grid.output
    (30, 49, FeatureMap(stream=0, column=5))
    """
    try:
        full = _full(spec)
        return full if spec.topology is None else pruned(full, spec.topology)
    except SpecError as error:
        raise spec.blame(error) from error


@checked
def prune(grid: GridLike, topology: TopologyLike) -> Grid:
    """The grid with the connections of `topology` alone, and of these what lies on a path.

    Starts from the full grid whatever `grid` was pruned to before, so the topology named last
    holds. Errors: `TopologyError` for an unknown name, columns that the topology cannot use,
    a pattern that matches nothing, or no path left.

    >>> spec = GridSpec(streams=5, columns="3+3", base_channels=16, classes=19)
    >>> len(prune(spec, "unet").connections)
    33
    """
    if isinstance(topology, Mapping):
        fields: Mapping[str, Any] = topology
        topology = CustomTopology(**fields)
    return pruned(as_grid(grid), topology)


@checked
def keep(grid: GridLike, wanted: Callable[[Connection], bool]) -> Grid:
    """The subgraph of the `wanted` connections that lie on a path from input to output.

    The spec of the new grid names what was kept, so that it can be built again. Errors:
    `TopologyError` where no path is left.

    >>> spec = GridSpec(streams=2, columns="2+2", base_channels=4, classes=2)
    >>> [c.name for c in keep(spec, lambda c: c.kind == "lateral")]
    ['lateral_0_1', 'lateral_0_2', 'lateral_0_3']
    """
    return subgraph(as_grid(grid), wanted)


def require_names(spec: GridSpec) -> None:
    """Every name that `spec` gives exists, be it one of an older file. Errors: `SpecError`."""
    for field, table in NAMED.items():
        name, last = attrgetter(field)(spec), field.removeprefix("units.")
        known = not isinstance(name, str) or name in table or name in RENAMED.get(last, ())
        if not known:
            what = last if last == field else f"{last} unit"
            kind = TopologyError if field == "topology" else SpecError
            raise kind(unknown(what, name, table), tuple(field.split(".")))


def _full(spec: NetworkSpec) -> Grid:
    """The whole grid of whichever kind of spec."""
    match spec:
        case GridSpec():
            return _full_grid(spec)
        case Architecture():
            return spec.whole()
    raise SpecError(f"{spec.title}: only Draft.grid makes the grid of a {type(spec).__name__}")


def _full_grid(spec: GridSpec) -> Grid:
    import networkx as nx  # here, since commands that build no grid start without it

    require_names(spec)
    connect = _Connect(spec)
    channels, style = spec.stream_channels, style_of(spec)
    dag: nx.DiGraph[FeatureMap] = nx.DiGraph()
    for stream, column in product(range(spec.streams), range(len(spec.columns))):
        info = MapInfo(channels[stream], FUSIONS[spec.fusion])
        dag.add_node(FeatureMap(stream, column), info=info)
    for source, target in paper_lattice(spec):
        connection = connect(source, target)
        dag.add_edge(connection.source, connection.target, connection=connection)
    grid = Grid(
        dag=dag,
        input=FeatureMap(0, 0),
        output=FeatureMap(0, len(spec.columns) - 1),
        stem=stem_layers(spec.stem, style, spec.in_channels, channels[0]),
        head=head_layers(spec.head, style, channels[0], spec.classes, spec.stride),
        spec=spec,
        sides=tuple(
            Side(
                FeatureMap(stream, 0),
                width,
                side_layers(spec.stem, style, width, channels[stream]),
            )
            for stream, width in enumerate(spec.side_channels or (), 1)
        ),
    )
    return _without_dead_ends(grid)


class _Connect:
    """Makes the connection of a link; equal units are made once."""

    def __init__(self, spec: GridSpec) -> None:
        self.spec, self.style = spec, style_of(spec)
        # Layers are made once for each kind and stream, so that equal connections share them.
        self.layers = cache(self._layers)

    def __call__(self, source: FeatureMap, target: FeatureMap) -> Connection:
        kind = kind_between(source, target)
        lateral = kind == "lateral"
        unit, shortcut = self.layers(kind, source.stream, target.stream)
        identity = self.spec.residual.lateral if lateral else self.spec.residual.vertical
        return Connection(
            source=source,
            target=target,
            unit=unit,
            shortcut=shortcut if identity else None,
            dropout=self.spec.total_dropout if lateral else 0.0,
        )

    def _layers(self, kind: Kind, source: int, target: int) -> tuple[Layers, Layers]:
        channels, unit = self.spec.stream_channels, getattr(self.spec.units, kind)
        ends = channels[source], channels[target]
        return unit_layers(kind, unit, self.style, *ends), shortcut_layers(kind, self.style, *ends)


def _without_dead_ends(grid: Grid) -> Grid:
    """Only what lies on a path; a whole stream that does not is the spec's fault."""
    alive = keep_alive(grid)
    streams, visited = (
        {feature_map.stream for feature_map in dag} for dag in (grid.dag, alive.dag)
    )
    lost = ", ".join(map(str, sorted(streams - visited)))
    if lost:
        raise SpecError(
            f"no path from input to output visits stream {lost}; "
            "the columns need a sub before an up",
            ("columns",),
        )
    return alive


def grid_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the spec of a grid of the paper's family.

    >>> grid_schema()["properties"]["fusion"]["enum"]
    ['concat', 'sum', 'weighted']
    """
    schema = GridSpec.json_schema()
    fields = schema["properties"]
    for field, table in NAMED.items():
        holder = fields if "." not in field else schema["$defs"]["Units"]["properties"]
        holder[field.removeprefix("units.")]["enum"] = sorted(table)
    del fields["topology"]["enum"]  # beside a name it may be lists of connections
    for choice in fields["topology"]["anyOf"]:
        if "oneOf" in choice or choice.get("type") == "string":
            _name_topologies(choice)
    return schema


def _name_topologies(choice: dict[str, Any]) -> None:
    for option in (choice, *choice.get("oneOf", ())):
        if option.get("type") == "string":
            option["enum"] = sorted(TOPOLOGIES)
