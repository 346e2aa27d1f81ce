"""Relations of two grids: whether one is a subgraph of the other, and what it needs if not."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from gridgen.analysis.sizes import common_size
from gridgen.arguments import checked
from gridgen.grid import Connection, FeatureMap, Grid, GridLike, as_grid
from gridgen.grid.fusions import Join
from gridgen.grid.grid import MapInfo, Side
from gridgen.grid.layers import BatchNorm, Conv, Deconv, Layers
from gridgen.grid.tracing import Size, trace
from gridgen.grid.units import Kind
from gridgen.shown import Shown, ShownRows
from gridgen.text import brief


@dataclass(frozen=True, repr=False)
class Relation(Shown):
    """The relation of grid A to grid B. Names are those of connections and maps, in A's order.

    `differing` are connections of both whose unit, identity, dropout or further map differ,
    `differing_maps` maps of both whose channels, fusion or layers differ. `ends_equal` is whether
    stem and head are, at the same maps, and what may enter beside them. `needs` says in plain
    words what A has beyond B's grid; it is empty for a subgraph and for nothing else.
    """

    common: tuple[str, ...]
    only_in_a: tuple[str, ...]
    only_in_b: tuple[str, ...]
    differing: tuple[str, ...]
    differing_maps: tuple[str, ...]
    ends_equal: bool
    needs: tuple[str, ...]

    @property
    def connections_subset(self) -> bool:
        """Whether every connection of A is in B."""
        return not self.only_in_a

    @property
    def units_equal(self) -> bool:
        """Whether the connections of both are the same."""
        return not self.differing

    @property
    def fusions_equal(self) -> bool:
        """Whether the maps of both are the same."""
        return not self.differing_maps

    @property
    def subgraph(self) -> bool:
        """Whether removing connections from B gives A."""
        equal = self.units_equal and self.fusions_equal and self.ends_equal
        return self.connections_subset and equal

    def rows(self) -> ShownRows:
        """How A lies in B."""
        shared = len(self.common)
        ours, theirs = shared + len(self.only_in_a), shared + len(self.only_in_b)
        rows = [
            ("subgraph", f"A is {'a' if self.subgraph else 'no'} subgraph of B"),
            ("connections", f"{shared} of A's {ours} are in B, which has {theirs}"),
            ("units", _equal(self.differing)),
            ("maps", _equal(self.differing_maps)),
            ("stem, head", "equal" if self.ends_equal else "differ"),
            ("only in A", brief(self.only_in_a)),
            ("only in B", brief(self.only_in_b)),
        ]
        return rows + [("" if i else "A needs", need) for i, need in enumerate(self.needs)]

    def as_json(self) -> dict[str, Any]:
        """Plain names and booleans."""
        return {"subgraph": self.subgraph, **asdict(self)}


@checked
def relate(a: GridLike, b: GridLike) -> Relation:
    """Compare `a` with `b` by the names of connections and maps.

    If `b` is pruned, its pruned form is compared.

    >>> from gridgen.grid import build_grid, prune
    >>> from gridgen.spec import GridSpec
    >>> full = build_grid(GridSpec(streams=5, columns="3+3", base_channels=16, classes=19))
    >>> relation = relate(prune(full, "unet"), full)
    >>> relation.subgraph, len(relation.common), len(relation.only_in_b)
    (True, 33, 16)
    >>> relate(full, prune(full, "unet")).needs
    ('8 more subsampling connections', '8 more upsampling connections')
    """
    a, b = as_grid(a), as_grid(b)
    ours, theirs = ({connection.name: connection for connection in grid} for grid in (a, b))
    common = tuple(name for name in ours if name in theirs)
    maps = [feature_map for feature_map in a.maps if feature_map in b.dag]
    return Relation(
        common=common,
        only_in_a=tuple(name for name in ours if name not in theirs),
        only_in_b=tuple(name for name in theirs if name not in ours),
        differing=tuple(name for name in common if ours[name] != theirs[name]),
        differing_maps=tuple(x.name for x in maps if not same_map(a, b, x)),
        ends_equal=_ends(a) == _ends(b) and set(a.sides) == sides_within(b, a),
        needs=needs(a, b),
    )


def _ends(grid: Grid) -> tuple[Layers, FeatureMap, Layers, FeatureMap]:
    return grid.stem, grid.input, grid.head, grid.output


def _equal(differing: Sequence[str]) -> str:
    return f"differ: {brief(differing)}" if differing else "equal where both have them"


JOINS: dict[Join, str] = {"sum": "a sum", "concat": "concatenation", "weighted": "weighted fusion"}


class Need(NamedTuple):
    """A feature of connections or maps, in words around their number."""

    before: str
    noun: str
    after: str = ""

    def say(self, times: int) -> str:
        """The feature of `times` connections or maps, such as `max-pooling in 4 connections`."""
        noun, after = self.noun + "s", self.after
        if times == 1:
            noun, after = self.noun, after.replace("that skip ", "that skips ")
        return " ".join(filter(None, (self.before, str(times), noun, after)))


def needs(a: Grid, b: Grid) -> tuple[str, ...]:
    """The features of `a` that `b` lacks: joins, units, ways, channels, sizes and ends, in order.

    A connection or map that both have is compared with its counterpart, one that only `a` has
    with all of its kind in `b`.
    """
    groups = _of_maps(a, b), _of_units(a, b), _of_ways(a, b), _of_channels(a, b)
    found: Counter[Need] = Counter()
    for group in groups:
        found.update(group)
    counted = (need.say(times) for need, times in found.items())
    return *counted, *_of_streams(a, b), *_of_ends(a, b)


def same_map(a: Grid, b: Grid, feature_map: FeatureMap) -> bool:
    """Whether a map that both have is the same: its channels, fusion and layers.

    Where one connection arrives in `a`, there is nothing to join, so any fusion will do.
    """
    one, other = a.info(feature_map), b.info(feature_map)
    if (one.channels, one.after) != (other.channels, other.after):
        return False
    alone = a.dag.in_degree(feature_map) <= 1 and a.fusion_layers(feature_map) == one.after
    return alone or one.fusion == other.fusion


def sides_within(grid: Grid, other: Grid) -> set[Side]:
    """The sides of `grid` at maps that `other` has too."""
    return {side for side in grid.sides if side.target in other.dag}


def _of_maps(a: Grid, b: Grid) -> Iterator[Need]:
    known = {need for feature_map in b.maps for need in _joining(b.info(feature_map))}
    for feature_map in a.maps:
        both, record = feature_map in b.dag, a.info(feature_map)
        has = _joining(b.info(feature_map)) if both else known
        joining = _joining(record)[0 if a.dag.in_degree(feature_map) > 1 else 1 :]
        missing = [need for need in joining if need not in has]
        yield from missing
        same = not both or same_map(a, b, feature_map)
        if not same and not missing and record.channels == b.channels_of(feature_map):
            yield Need("another fusion at", "map")


def _joining(record: MapInfo) -> tuple[Need, Need]:
    """The join of a map, which matters where several connections arrive, and its layers."""
    layers = Need("layers after the fusion at", "map")
    none = Need("", "map", "without layers after the fusion")
    return Need(f"{JOINS[record.fusion.join]} at", "map"), layers if record.after else none


def _of_units(a: Grid, b: Grid) -> Iterator[Need]:
    theirs = {connection.name: connection for connection in b}
    known = {need for connection in b for need in _computing(connection)}
    for connection in a:
        other = theirs.get(connection.name)
        if other == connection:
            continue
        has = known if other is None else set(_computing(other))
        missing = [need for need in _computing(connection) if need not in has]
        yield from missing
        if other and not missing and _same_ends(a, b, connection):
            yield Need("another unit in", f"{connection.kind} connection")


def _same_ends(a: Grid, b: Grid, connection: Connection) -> bool:
    """Whether the maps at both ends have the same channels in both grids."""
    ends = connection.source, connection.target
    return all(a.channels_of(end) == b.channels_of(end) for end in ends)


def _computing(connection: Connection) -> Iterable[Need]:
    """The features of what a connection computes, each once."""
    noun = f"{connection.kind} connection"
    unit, shortcut = connection.unit, connection.shortcut
    if not unit:
        return [Need("", noun, "without a unit")]
    found = [Need(f"{layer.words} in", noun) for layer in unit]
    convolves = any(isinstance(layer, Conv | Deconv) for layer in unit)
    if convolves and not any(isinstance(layer, BatchNorm) for layer in unit):
        found.append(Need("", noun, "without BN"))
    if shortcut is None:
        found.append(Need("", noun, "without the identity"))
    else:
        found.append(Need(f"{'a projected' if shortcut else 'the'} identity in", noun))
    if connection.dropout:
        found.append(Need(f"total dropout of {connection.dropout:g} in", noun))
    if connection.auxiliary:
        found.append(Need("a look at a further map in", noun))
    return dict.fromkeys(found)


def _of_ways(a: Grid, b: Grid) -> Iterator[Need]:
    """The ways of connections that only `a` has."""
    theirs = {connection.name for connection in b}
    inside = {(c.target.column, c.kind) for c in b if c.source.column == c.target.column}
    for connection in a:
        if connection.name not in theirs:
            ways = list(_ways(connection, inside))
            yield from ways or [Need("", f"more {connection.kind} connection")]


def _ways(connection: Connection, inside: set[tuple[int, Kind]]) -> Iterator[Need]:
    """The features of a connection that is no step of the paper's lattice.

    `inside` are the kinds of connections within each column of the other grid.
    """
    (_, before), (_, column) = connection.source, connection.target
    streams, columns = abs(connection.target.stream - connection.source.stream), column - before
    if streams and columns:
        yield Need("", "diagonal connection")
    if abs(columns) > 1:
        yield Need("", "connection", "that skip columns")
    if streams > 1:
        yield Need("", "connection", "that skip streams")
    if columns < 0:
        yield Need("", "connection", "against the order of the columns")
    if columns == 0:
        turned: Kind = "upsampling" if connection.kind == "subsampling" else "subsampling"
        if (column, turned) in inside and (column, connection.kind) not in inside:
            way = "up" if turned == "upsampling" else "down"
            yield Need("", f"{connection.kind} connection", f"in columns that go {way}")


def _of_channels(a: Grid, b: Grid) -> Iterator[Need]:
    for feature_map in a.maps:
        if feature_map in b.dag and a.channels_of(feature_map) != b.channels_of(feature_map):
            yield Need("other channels at", "map")


def _of_streams(a: Grid, b: Grid) -> Iterator[str]:
    """Streams that `b` lacks, or that have another share of the image's size there."""
    more = len({feature_map.stream for feature_map in a.maps} - {x.stream for x in b.maps})
    if more:
        yield Need("", "more stream").say(more)
    size = common_size(a.spec, b.spec)
    ours, theirs = _shares(a, size), _shares(b, size)
    others = [stream for stream in ours if ours[stream] != theirs.get(stream, ours[stream])]
    if others:
        streams, shares = ", ".join(map(str, others)), ", ".join(str(ours[i]) for i in others)
        yield f"stream{'s' * (len(others) > 1)} {streams} at {shares} of the image's size"


def _shares(grid: Grid, size: Size) -> dict[int, Fraction]:
    """The height of each stream that grows with the image, as a share of the image's."""
    larger = tuple(2 * side for side in size)
    small, large = trace(grid, size).shapes, trace(grid, larger).shapes
    # A map that is pooled to fixed bins has the same size for any image, so no share of it.
    growing = (feature_map for feature_map in small if small[feature_map] != large[feature_map])
    return {feature_map.stream: Fraction(small[feature_map][1], size[0]) for feature_map in growing}


def _of_ends(a: Grid, b: Grid) -> Iterator[str]:
    if a.stem != b.stem:
        yield "another stem"
    if a.input != b.input:
        yield f"the stem before {a.input.name}"
    if a.head != b.head:
        yield "another head"
    if a.output != b.output:
        yield f"the head after {a.output.name}"
    ours, theirs = set(a.sides), sides_within(b, a)
    for what, sides in (("features that enter", ours - theirs), ("no features", theirs - ours)):
        if sides:
            yield Need(f"{what} at", "map").say(len(sides))
