"""What the parts of grids cost: of one part at given widths, and of all parts of all specs at once.

The cost of a spec is a sum over parts of tables that span few fields each: how often a part is
there depends on streams, columns and topology, what one costs on channels, unit and image. The
costs are those of the layer records that `trace` sums and the module is lowered from.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple, cast

import numpy as np

from gridgen.grid.ends import head_layers, side_layers, stem_layers
from gridgen.grid.fusions import FUSIONS
from gridgen.grid.layers import Layers, Shape, cost
from gridgen.grid.styles import STYLE, Style, style_of
from gridgen.grid.tracing import Size
from gridgen.grid.units import UNITS, Kind, shortcut_layers, unit_layers
from gridgen.space.spec_array import SpecArray, Table, combined, folded, require_no_errors
from gridgen.space.structure_counts import Entering, StructureCounts

MEASURES = ("parameters", "activations", "macs")
IDENTITY: dict[Kind, str] = {
    "lateral": "lateral",
    "subsampling": "vertical",
    "upsampling": "vertical",
}
"""Which of the fields `residual.*` says whether the identity is added."""
SOURCE: dict[Kind, int] = {"lateral": 0, "subsampling": -1, "upsampling": 1}
"""From the stream that a connection leads to, to the one that it comes from."""

Measures = tuple[int, int, int]
"""Parameters, activations, MACs."""
NOTHING: Measures = (0, 0, 0)
MeasurePart = Callable[..., Measures]
"""The measures of one part, from the fields that they depend on."""


class Widths(NamedTuple):
    """Channels of every stream, a legal size of image, and what the stem divides its sides by."""

    channels: tuple[int, ...]
    size: Size
    stride: int

    def has(self, stream: int) -> bool:
        """Whether there is such a stream."""
        return 0 <= stream < len(self.channels)

    def shape(self, stream: int) -> Shape:
        """The shape of the maps of `stream`."""
        return (self.channels[stream], *self.image(stream))

    def image(self, stream: int) -> Size:
        """The sides of the maps of `stream`."""
        return tuple(side // self.stride >> stream for side in self.size)


class PartCosts(NamedTuple):
    """How often grids have a part, and the three measures of one, as tables."""

    times: Table
    costs: tuple[Table, ...]

    @property
    def most(self) -> int:
        """A bound on every sum of these costs."""
        return int(self.times.max()) * max(int(table.max()) for table in self.costs)


def total(parts: Iterator[PartCosts]) -> dict[str, Table]:
    """Parameters, activations and MACs of all specs, as exact whole numbers."""
    every = list(parts)
    # int64 wraps round silently, so where it may not suffice the tables hold Python's integers.
    kind: Any = np.int64 if sum(part.most for part in every) < 1 << 63 else object
    return {
        measure: folded(
            np.add, (part.times.astype(kind) * part.costs[index].astype(kind) for part in every)
        )
        for index, measure in enumerate(MEASURES)
    }


def parts_of(
    specs: SpecArray, structures: Table, widths: Table, sides: Table
) -> Iterator[PartCosts]:
    """The parts of all specs; what an error stands for in a table costs nothing."""
    styles = styles_of(specs)
    yield from _of_ends(specs, widths, styles)
    yield from _of_connections(specs, structures, widths, styles)
    yield from _of_fusions(specs, structures, widths)
    yield from _of_sides(specs, structures, widths, styles, sides)


def styles_of(specs: SpecArray) -> Table:
    """The `Style` of every spec. Errors: `SpecError` where one fits no spec."""
    made = specs.table(STYLE, style_of)
    require_no_errors(made)
    return made


def _of_ends(specs: SpecArray, widths: Table, styles: Table) -> Iterator[PartCosts]:
    # Every grid has one stem and one head; length 1 broadcasts along all axes.
    once = np.ones([1] * widths.ndim, dtype=object)
    images, classes = specs.reads("in_channels"), specs.reads("classes")
    yield PartCosts(once, _costs(_stem, [0], widths, styles, specs.reads("stem"), images))
    yield PartCosts(once, _costs(_head, [0], widths, styles, specs.reads("head"), classes))


def _of_connections(
    specs: SpecArray, structures: Table, widths: Table, styles: Table
) -> Iterator[PartCosts]:
    for kind in UNITS:
        unit = specs.reads(f"units.{kind}")
        identity = specs.reads(f"residual.{IDENTITY[kind]}")
        for stream in range(most_streams(widths)):
            times = times_of(structures, "entering", Entering(kind, stream))
            if times.any():
                source = stream + SOURCE[kind]
                measure = partial(_connection_between, kind, source, stream)
                costs = _costs(measure, [source, stream], widths, styles, unit, identity)
                yield PartCosts(times, costs)


def _of_fusions(specs: SpecArray, structures: Table, widths: Table) -> Iterator[PartCosts]:
    fusion = specs.reads("fusion")
    known = (entry for entry in structures.flat if isinstance(entry, StructureCounts))
    for joining in sorted({joining for structure in known for joining in structure.joining}):
        costs = _costs(partial(_fusion_at, *joining), [joining.stream], widths, fusion)
        if any(table.any() for table in costs):
            yield PartCosts(times_of(structures, "joining", joining), costs)


def _of_sides(
    specs: SpecArray, structures: Table, widths: Table, styles: Table, sides: Table
) -> Iterator[PartCosts]:
    if not any(isinstance(given, tuple) for given in sides.flat):
        return
    stem = specs.reads("stem")
    for stream in range(1, most_streams(widths)):
        times = times_of(structures, "entries", stream)
        costs = _costs(partial(_side_at, stream), [stream], widths, styles, stem, sides)
        yield PartCosts(times, costs)


def most_streams(widths: Table) -> int:
    """Most streams of any spec."""
    known = (len(entry.channels) for entry in widths.flat if isinstance(entry, Widths))
    return max(known, default=0)


def times_of(structures: Table, what: Literal["entering", "joining", "entries"], key: Any) -> Table:
    """How often `key` is in one of the counts of every structure; 0 where there is none."""

    def read(entry: Any) -> int:
        return getattr(entry, what)[key] if isinstance(entry, StructureCounts) else 0

    return combined(read, structures)


def _costs(
    measure: MeasurePart, streams: Sequence[int], widths: Table, *tables: Table
) -> tuple[Table, ...]:
    """The three measures of a part for each combination of what it depends on.

    A part of `streams` costs nothing where `widths` lacks one of them.
    """

    def known(entry: Any, *others: Any) -> Measures:
        there = isinstance(entry, Widths) and all(map(entry.has, streams))
        return measure(entry, *others) if there else NOTHING

    made: Any = np.frompyfunc(known, 1 + len(tables), len(MEASURES))(widths, *tables)
    return cast(tuple[Table, ...], made)


def _stem(widths: Widths, style: Style, name: str, in_channels: int) -> Measures:
    return _stem_costs(name, style, (in_channels, *widths.size), widths.channels[0])


def _head(widths: Widths, style: Style, name: str, classes: int) -> Measures:
    return _head_costs(name, style, widths.shape(0), classes, widths.stride)


def _connection_between(
    kind: Kind, source: int, target: int, widths: Widths, style: Style, unit: str, identity: bool
) -> Measures:
    """One connection between two streams."""
    shape, channels = widths.shape(source), widths.channels[target]
    return _connection(kind, unit, style, identity, shape, channels)


def _fusion_at(stream: int, arrivals: int, widths: Widths, name: str) -> Measures:
    """The fusion at one map of a stream."""
    return _fusion(name, arrivals, widths.shape(stream))


def _side_at(stream: int, widths: Widths, style: Style, name: str, channels: Any) -> Measures:
    """The layers of features that enter at a stream."""
    if not isinstance(channels, tuple) or len(channels) < stream:
        return NOTHING
    entering = (channels[stream - 1], *widths.image(stream))
    return _side_costs(name, style, entering, widths.channels[stream])


@lru_cache(1 << 16)
def _stem_costs(name: str, style: Style, shape: Shape, channels: int) -> Measures:
    return _sums(stem_layers(name, style, shape[0], channels), shape)


@lru_cache(1 << 16)
def _side_costs(name: str, style: Style, shape: Shape, channels: int) -> Measures:
    return _sums(side_layers(name, style, shape[0], channels), shape)


@lru_cache(1 << 16)
def _head_costs(name: str, style: Style, shape: Shape, classes: int, stride: int) -> Measures:
    return _sums(head_layers(name, style, shape[0], classes, stride), shape)


@lru_cache(1 << 16)
def _connection(
    kind: Kind, unit: str, style: Style, identity: bool, shape: Shape, channels: int
) -> Measures:
    ends = shape[0], channels
    layers = _sums(unit_layers(kind, unit, style, *ends), shape)
    added = _sums(shortcut_layers(kind, style, *ends), shape) if identity else NOTHING
    return layers[0] + added[0], layers[1] + added[1], layers[2] + added[2]


@lru_cache(1 << 16)
def _fusion(name: str, arrivals: int, shape: Shape) -> Measures:
    channels, *sides = shape
    fused = FUSIONS[name]
    joined = arrivals * channels if fused.join == "concat" else channels
    layers = fused.layers(joined, channels, len(sides)) if arrivals else ()
    parameters, activations, macs = _sums(layers, (joined, *sides))
    return parameters + fused.weights(arrivals), activations, macs


def _sums(layers: Layers, shape: Shape) -> Measures:
    summed = cost(layers, shape)
    return summed.parameters, summed.activations, summed.macs
