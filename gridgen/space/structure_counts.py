"""What follows from which connections a grid has, without widths: counts and receptive fields.

The counts are all that parameters, activations and MACs need to know of a grid's structure.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import isinf
from typing import Any, NamedTuple

import numpy as np

from gridgen.analysis.receptive import Node, Reading, field_sides
from gridgen.errors import SpecError
from gridgen.grid import Connection, FeatureMap, Grid, build_grid, prune
from gridgen.grid.ends import head_layers, stem_layers
from gridgen.grid.layers import Layer, Layers
from gridgen.grid.pruning import wanted_by
from gridgen.grid.styles import Style
from gridgen.grid.units import Kind, shortcut_layers, unit_layers
from gridgen.spec import CustomTopology, GridSpec
from gridgen.spec.document import named

WHOLE_IMAGE = 1 << 62
"""Stands for the receptive field of a network that sees the whole image, however large."""


class Entering(NamedTuple):
    """Connections of one kind that lead to one stream."""

    kind: Kind
    stream: int


class Joining(NamedTuple):
    """Maps of one stream at which the same number of connections arrive."""

    stream: int
    arrivals: int


class BareConnection(NamedTuple):
    """A connection without its layers."""

    kind: Kind
    source: FeatureMap
    target: FeatureMap


@dataclass(frozen=True)
class StructureCounts:
    """How often a grid has each part, and its `connections` in the order of computation.

    `entries` counts the maps in column 0 by stream. Image sides are multiples of `multiple`.
    """

    entering: Counter[Entering]
    joining: Counter[Joining]
    entries: Counter[int]
    connections: tuple[BareConnection, ...]
    input: FeatureMap
    output: FeatureMap
    multiple: int


def count_structure(grid: Grid) -> StructureCounts:
    """Count the connections and maps of `grid`.

    >>> spec = GridSpec(streams=3, columns="2+2", base_channels=1, classes=1)
    >>> counted = count_structure(build_grid(spec))
    >>> counted.entering[Entering("subsampling", 1)], counted.joining[Joining(0, 2)]
    (2, 2)
    """
    return _counted(grid, _bare(grid))


def _bare(connections: Iterable[Connection]) -> list[BareConnection]:
    return [BareConnection(each.kind, each.source, each.target) for each in connections]


def _counted(grid: Grid, connections: list[BareConnection]) -> StructureCounts:
    """The counts of `grid` as if it had these connections alone."""
    arrivals = Counter(connection.target for connection in connections)
    # Every map but the input has an arrival.
    maps = {grid.input: 0, **arrivals}
    return StructureCounts(
        entering=Counter(Entering(kind, target.stream) for kind, _, target in connections),
        joining=Counter(Joining(target.stream, number) for target, number in maps.items()),
        entries=Counter(target.stream for target in maps if target.column == 0),
        connections=tuple(connections),
        input=grid.input,
        output=grid.output,
        multiple=grid.spec.multiple,
    )


TopologyKey = str | tuple[Any, Any] | None
"""A topology as a key: its name, or what a custom one keeps and drops."""


def topology_key(topology: str | CustomTopology | None) -> TopologyKey:
    """The key of a topology of a spec."""
    if isinstance(topology, CustomTopology):
        return topology.keep, topology.drop
    return topology


@lru_cache(1 << 8)
def structures_of(
    streams: int, columns: tuple[str, ...], topologies: frozenset[TopologyKey]
) -> dict[TopologyKey, StructureCounts | SpecError]:
    """The structure of a grid under each of some topologies, or the error of `build_grid`."""
    spec = GridSpec(streams=streams, columns=columns, base_channels=1, classes=1)
    try:
        full = build_grid(spec)
    except SpecError as error:
        return dict.fromkeys(topologies, error)
    return {topology: _pruned(full, topology) for topology in topologies}


def _pruned(full: Grid, topology: TopologyKey) -> StructureCounts | SpecError:
    """What `prune` leaves, counted without making a grid of it."""
    kept: Any = topology
    if isinstance(topology, tuple):
        kept = CustomTopology(keep=topology[0], drop=topology[1])
    try:
        wanted = full if kept is None else filter(wanted_by(kept, full), full)
        alive = _alive(_bare(wanted), full)
        # Where no path is left, prune says so.
        return count_structure(prune(full, kept)) if alive is None else _counted(full, alive)
    except SpecError as error:
        return named(error)


def _alive(connections: list[BareConnection], grid: Grid) -> list[BareConnection] | None:
    """Those that lie on a path from input to output; None if there is no such path."""
    reached, needed = {grid.input}, {grid.output}
    # In the order of computation, so that all into a map come before those that leave it.
    for _, source, target in connections:
        if source in reached:
            reached.add(target)
    for _, source, target in reversed(connections):
        if target in needed:
            needed.add(source)
    if grid.output not in reached:
        return None
    return [each for each in connections if each.source in reached and each.target in needed]


SideBySide = tuple[Layers, ...]
"""Sequences of layers on the same input, each without the layers that keep every row in place."""


class PartLayers(NamedTuple):
    """What lies on the connections of each kind, and at the ends, of one choice of units.

    `stride` is what the stem divides the sides of the image by.
    """

    lateral: SideBySide
    subsampling: SideBySide
    upsampling: SideBySide
    stem: SideBySide
    head: SideBySide
    stride: int = 1


def layers_between(kind: Kind, unit: str, style: Style, identity: bool) -> SideBySide:
    """The unit of a connection and, where it is added, the identity beside it."""
    added = [shortcut_layers(kind, style, 1, 1)] if identity else []
    return tuple(_moving(layers) for layers in (unit_layers(kind, unit, style, 1, 1), *added))


def layers_before(stem: str, style: Style) -> SideBySide:
    """The layers before the first map."""
    return (_moving(stem_layers(stem, style, 1, 1)),)


def layers_after(head: str, style: Style, stride: int) -> SideBySide:
    """The layers after the last map, which undo the stride of the stem."""
    return (_moving(head_layers(head, style, 1, 1, stride)),)


PARTS = ("lateral", "subsampling", "upsampling", "stem", "head")
Variants = dict[str, list[tuple[Layers, Any]]]
"""The different sequences of layers of each part, each with the choices of units that have it."""


@dataclass(frozen=True)
class SameStride:
    """Choices whose stems have the same stride, which are followed side by side."""

    choices: tuple[PartLayers, ...]

    @property
    def stride(self) -> int:
        """What their stems divide the sides of the image by."""
        return self.choices[0].stride

    @cached_property
    def variants(self) -> Variants:
        """Those that have the same layers in a part are gathered, so that it is followed once."""
        return {part: _variants(part, self.choices) for part in PARTS}


def by_stride(choices: Iterable[PartLayers]) -> list[SameStride]:
    """The different choices, by the stride of their stems."""
    groups: dict[int, dict[PartLayers, None]] = {}
    for choice in choices:
        groups.setdefault(choice.stride, {})[choice] = None
    return [SameStride(tuple(group)) for group in groups.values()]


def receptive_fields(structure: StructureCounts, group: SameStride) -> dict[PartLayers, int]:
    """The receptive field of a prediction, or `WHOLE_IMAGE`, for each choice of a group.

    Fusions and widths play no part.
    """
    layers = group.variants
    readings: dict[Node, list[Reading]] = {
        structure.input: [Reading("image", *each) for each in layers["stem"]]
    }
    for kind, source, target in structure.connections:
        into = readings.setdefault(target, [])
        into += [Reading(source, *each) for each in layers[kind]]
    readings["prediction"] = [Reading(structure.output, *each) for each in layers["head"]]
    multiple = structure.multiple * group.stride
    *_, (_, sides) = field_sides(readings, multiple, len(group.choices))
    fields = (WHOLE_IMAGE if isinf(side) else int(side) for side in sides)
    return dict(zip(group.choices, fields, strict=True))


def _variants(part: str, choices: Sequence[PartLayers]) -> list[tuple[Layers, Any]]:
    found: dict[Layers, list[int]] = {}
    for index, choice in enumerate(choices):
        for layers in dict.fromkeys(getattr(choice, part)):
            found.setdefault(layers, []).append(index)
    # A slice, where all have it, makes views where an array would make copies.
    every = len(choices)
    return [(x, slice(None) if len(some) == every else np.array(some)) for x, some in found.items()]


def _moving(layers: Layers) -> Layers:
    """The layers without those that look at their own row alone: more choices are then equal."""
    return tuple(layer for layer in layers if not _stays(layer))


def _stays(layer: Layer) -> bool:
    rows: tuple[Any, Any] = np.arange(8), np.arange(8)
    return all(map(np.array_equal, layer.rows(*rows), rows))
