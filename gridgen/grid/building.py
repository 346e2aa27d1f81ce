"""Builds the grid of a spec, and lists the names that a spec may use."""

from collections.abc import Mapping
from functools import cache
from itertools import product
from typing import Any, TypeVar

from gridgen.errors import SpecError, unknown
from gridgen.grid.architecture import Architecture
from gridgen.grid.ends import HEADS, STEMS
from gridgen.grid.fusions import FUSIONS
from gridgen.grid.grid import Connection, FeatureMap, Grid, MapInfo, Side, kind_between
from gridgen.grid.lattices import paper_lattice
from gridgen.grid.layers import Layers
from gridgen.grid.pruning import keep_alive, prune
from gridgen.grid.topologies import TOPOLOGIES
from gridgen.grid.units import SHORTCUTS, UNITS, Kind
from gridgen.spec import GridSpec, NetworkSpec

T = TypeVar("T")

NAMED: dict[str, Mapping[str, object]] = {
    "fusion": FUSIONS,
    "stem": STEMS,
    "head": HEADS,
    "topology": TOPOLOGIES,
}


def build_grid(spec: NetworkSpec) -> Grid:
    """The grid that `spec` describes, its topology (where it names one) applied.

    Errors: `SpecError` for a unit, fusion, stem or head that does not exist, and for a stream
    that no path from input to output can visit; `TopologyError` as `prune`.

    >>> spec = GridSpec.of(streams=5, columns="3+3", base_channels=16, classes=19)
    >>> grid = build_grid(spec)
    >>> len(grid.maps), len(grid.connections), grid.output
    (30, 49, FeatureMap(stream=0, column=5))
    """
    try:
        full = _full(spec)
        return full if spec.topology is None else prune(full, spec.topology)
    except SpecError as error:
        raise spec.blame(error) from error


def require_names(spec: GridSpec) -> None:
    """Every unit, fusion, stem, head and topology of `spec` exists. Errors: `SpecError`."""
    _connector(spec)
    for field, table in NAMED.items():
        name = getattr(spec, field)
        if isinstance(name, str):
            _look_up(table, name, field, (field,))


def _full(spec: NetworkSpec) -> Grid:
    """The whole grid of whichever kind of spec."""
    match spec:
        case GridSpec():
            return _full_grid(spec)
        case Architecture():
            return spec.fill()
    raise TypeError(f"a {type(spec).__name__} does not say how it becomes a grid")


def _full_grid(spec: GridSpec) -> Grid:
    import networkx as nx  # here, since commands that build no grid start without it

    connect = _connector(spec)
    channels = spec.stream_channels
    fusion = _look_up(FUSIONS, spec.fusion, "fusion", ("fusion",))
    dag: nx.DiGraph[FeatureMap] = nx.DiGraph()
    for stream, column in product(range(spec.streams), range(len(spec.columns))):
        dag.add_node(FeatureMap(stream, column), info=MapInfo(channels[stream], fusion))
    for source, target in paper_lattice(spec):
        connection = connect(source, target)
        dag.add_edge(connection.source, connection.target, connection=connection)
    stem = _look_up(STEMS, spec.stem, "stem", ("stem",))
    grid = Grid(
        dag=dag,
        input=FeatureMap(0, 0),
        output=FeatureMap(0, len(spec.columns) - 1),
        stem=stem(spec.in_channels, channels[0]),
        head=_look_up(HEADS, spec.head, "head", ("head",))(channels[0], spec.classes),
        spec=spec,
        sides=tuple(
            Side(FeatureMap(stream, 0), width, stem(width, channels[stream]))
            for stream, width in enumerate(spec.side_channels or (), 1)
        ),
    )
    return _without_dead_ends(grid)


def _connector(spec: GridSpec) -> "_Connect":
    units: dict[Kind, str] = {
        "lateral": spec.units.lateral,
        "subsampling": spec.units.subsampling,
        "upsampling": spec.units.upsampling,
    }
    for kind, name in units.items():
        _look_up(UNITS[kind], name, f"{kind} unit", ("units", kind))
    return _Connect(spec, units)


class _Connect:
    """Makes the connection of a link; equal units are made once."""

    def __init__(self, spec: GridSpec, units: dict[Kind, str]) -> None:
        self.spec, self.units = spec, units
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
        channels = self.spec.stream_channels
        unit = UNITS[kind][self.units[kind]]
        ends = channels[source], channels[target]
        return unit(*ends), SHORTCUTS[kind](*ends)


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


def _look_up(table: Mapping[str, T], name: str, what: str, field: tuple[str, ...]) -> T:
    if name not in table:
        raise SpecError(unknown(what, name, table), field)
    return table[name]


def grid_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the spec of a grid of the paper's family.

    >>> grid_schema()["properties"]["fusion"]["enum"]
    ['concat', 'sum', 'weighted']
    """
    schema = GridSpec.json_schema()
    fields = schema["properties"]
    for field, names in (("fusion", FUSIONS), ("stem", STEMS), ("head", HEADS)):
        fields[field]["enum"] = sorted(names)
    for kind, units in UNITS.items():
        schema["$defs"]["Units"]["properties"][kind]["enum"] = sorted(units)
    for choice in fields["topology"]["anyOf"]:
        if "oneOf" in choice or choice.get("type") == "string":
            _name_topologies(choice)
    return schema


def _name_topologies(choice: dict[str, Any]) -> None:
    for option in (choice, *choice.get("oneOf", ())):
        if option.get("type") == "string":
            option["enum"] = sorted(TOPOLOGIES)
