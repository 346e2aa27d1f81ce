"""Which specs of a space are the same network, so that each network is counted once.

Those whose grids have the same fingerprint are, but no grid is built: a network is known by its
connections, by the layers of each part, by its total dropout, and by the image sizes that it takes.
What a spec says of parts that its grid lacks plays no role.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np

from gridgen.errors import SpecError
from gridgen.grid.ends import head_layers, side_layers, stem_layers
from gridgen.grid.layers import Layers
from gridgen.grid.styles import Style
from gridgen.grid.units import UNITS, Kind, shortcut_layers, unit_layers
from gridgen.space.cost_tables import SIZES, CostTables
from gridgen.space.part_costs import IDENTITY, SOURCE, most_streams, styles_of, times_of
from gridgen.space.spec_array import Table, combined, folded
from gridgen.space.structure_counts import Entering, StructureCounts
from gridgen.spec import GridSpec

LARGEST = 1 << 62
"""Numbers above it may not fit into 64 bits when they are joined."""


def network_numbers(tables: CostTables) -> Table:
    """A number for each spec, equal for specs of one network; arbitrary where there is no grid."""
    return folded(_joined, _traits(tables))


def _joined(one: Table, other: Table) -> Table:
    """A number for each different pair of numbers."""
    if (int(one.max()) + 1) * (int(other.max()) + 1) > LARGEST:
        one, other = _renumbered(one), _renumbered(other)
    made: Table = one * (other.max() + 1) + other
    return made


def _renumbered(table: Table) -> Table:
    return np.unique(table, return_inverse=True)[1].reshape(table.shape)


def _traits(tables: CostTables) -> Iterator[Table]:
    """Tables of numbers, all of which are equal for two specs of one network and no others."""
    specs, structures = tables.specs, tables.structures
    styles, reads = styles_of(specs), specs.reads
    yield _numbered(lambda known: known, combined(_connections, structures))
    yield _numbered(lambda known: known, specs.table(SIZES, _sizes))
    first = _channels(tables, 0)
    yield _numbered(stem_layers, reads("stem"), styles, reads("in_channels"), first)
    yield _numbered(head_layers, reads("head"), styles, first, reads("classes"), tables.strides)
    for kind in UNITS:
        for stream in range(most_streams(tables.widths)):
            there = times_of(structures, "entering", Entering(kind, stream)) > 0
            if there.any():
                yield there * _connection_numbers(tables, kind, stream, styles)
    yield combined(_fuses, structures) * _numbered(str, reads("fusion"))
    yield combined(_drops, structures) * _numbered(float, reads("total_dropout"))
    for stream in range(1, most_streams(tables.widths)):
        enters = times_of(structures, "entries", stream) > 0
        given = combined(partial(_at, stream - 1), tables.sides)
        widths = _channels(tables, stream)
        yield enters * _numbered(side_layers, reads("stem"), styles, given, widths)


def _numbered(function: Callable[..., Any], *tables: Table) -> Table:
    """A number above 0 for each result of a function, and 0 where an entry is None or an error."""
    numbers: dict[Any, int] = {}
    number = cache(lambda *entries: numbers.setdefault(function(*entries), len(numbers) + 1))

    def entry(*entries: Any) -> int:
        lacks = any(each is None or isinstance(each, SpecError) for each in entries)
        return 0 if lacks else number(*entries)

    return combined(entry, *tables).astype(np.int64)


def _connection_numbers(tables: CostTables, kind: Kind, stream: int, styles: Table) -> Table:
    """The layers of the connections of one kind that lead to one stream."""
    reads = tables.specs.reads
    ends = _channels(tables, stream + SOURCE[kind]), _channels(tables, stream)
    unit, identity = reads(f"units.{kind}"), reads(f"residual.{IDENTITY[kind]}")
    return _numbered(partial(_on_connection, kind), unit, styles, *ends, identity)


def _on_connection(
    kind: Kind, unit: str, style: Style, source: int, target: int, identity: bool
) -> tuple[Layers, Layers | None]:
    shortcut = shortcut_layers(kind, style, source, target) if identity else None
    return unit_layers(kind, unit, style, source, target), shortcut


def _channels(tables: CostTables, stream: int) -> Table:
    """The channels of one stream; None where there is none."""
    return combined(partial(_at, stream), tables.channels)


def _at(place: int, given: Any) -> Any:
    return given[place] if isinstance(given, tuple) and 0 <= place < len(given) else None


def _connections(structure: Any) -> Any:
    known = isinstance(structure, StructureCounts)
    # Their order depends on the grid that they were pruned from.
    return (frozenset(structure.connections), structure.output) if known else None


def _sizes(spec: GridSpec) -> tuple[str, int, int]:
    return spec.size, spec.multiple, spec.least


def _fuses(structure: Any) -> bool:
    """Whether several connections arrive at some map."""
    known = isinstance(structure, StructureCounts)
    return known and any(joining.arrivals > 1 for joining in structure.joining)


def _drops(structure: Any) -> bool:
    """Whether there are units that total dropout may drop: those of lateral connections."""
    known = isinstance(structure, StructureCounts)
    return known and any(entering.kind == "lateral" for entering in structure.entering)
