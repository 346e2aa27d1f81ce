"""Which specs of a space are the same network, so that each network is counted once.

Those whose grids have the same fingerprint are, but no grid is built: a network is known by its
connections, by the layers of each part, by its total dropout, and by the image sizes that it takes.
What a spec says of parts that its grid lacks plays no role.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import product
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

LARGEST = 1 << 62
"""Numbers above it may not fit into 64 bits when they are joined."""


def network_numbers(tables: CostTables) -> Table:
    """A number for each spec, equal for specs of one network; arbitrary where there is no grid."""
    return folded(_pair_numbers, _traits(tables))


def _pair_numbers(one: Table, other: Table) -> Table:
    """A number for each different pair of numbers."""
    if (int(one.max()) + 1) * (int(other.max()) + 1) > LARGEST:
        one, other = _renumbered(one), _renumbered(other)
    made: Table = one * (other.max() + 1) + other
    return made


def _renumbered(table: Table) -> Table:
    return np.unique(table, return_inverse=True)[1].reshape(table.shape)


def _traits(tables: CostTables) -> Iterator[Table]:
    """Tables of numbers, all of which are equal for two specs of one network and no others.

    The number of a part that a spec's grid lacks is 0.
    """
    specs, structures = tables.specs, tables.structures
    styles, reads = styles_of(specs), specs.reads
    # The order of connections depends on the grid that they were pruned from.
    connections = _from_structures(structures, lambda s: (frozenset(s.connections), s.output))
    yield _numbered(tuple, connections)
    yield _numbered(tuple, specs.table(SIZES, lambda s: (s.size, s.multiple, s.least)))
    channels = [_items(tables.channels, stream) for stream in range(most_streams(tables.widths))]
    stem, top = reads("stem"), _items(tables.channels, 0)
    yield _numbered(stem_layers, stem, styles, reads("in_channels"), top)
    yield _numbered(head_layers, reads("head"), styles, top, reads("classes"), tables.strides)
    for kind, (stream, target) in product(UNITS, enumerate(channels)):
        has_unit = times_of(structures, "entering", Entering(kind, stream)) > 0
        source = stream + SOURCE[kind]
        # A structure may have more streams than any spec that makes a grid.
        if has_unit.any() and source < len(channels):
            unit, identity = reads(f"units.{kind}"), reads(f"residual.{IDENTITY[kind]}")
            layers = partial(_connection_layers, kind)
            yield has_unit * _numbered(layers, unit, styles, channels[source], target, identity)
    fuses = _from_structures(structures, lambda s: any(joint.arrivals > 1 for joint in s.joining))
    yield fuses.astype(bool) * _numbered(str, reads("fusion"))
    drops = _from_structures(structures, lambda s: any(x.kind == "lateral" for x in s.entering))
    yield drops.astype(bool) * _numbered(float, reads("total_dropout"))
    for stream, width in enumerate(channels[1:], 1):
        has_side = times_of(structures, "entries", stream) > 0
        side_channels = _items(tables.sides, stream - 1)
        yield has_side * _numbered(side_layers, stem, styles, side_channels, width)


def _numbered(function: Callable[..., Any], *tables: Table) -> Table:
    """A number above 0 for each different result of a function of the tables' entries.

    0 where an entry is None or an error.
    """
    numbers: dict[Any, int] = {}
    number = cache(lambda *entries: numbers.setdefault(function(*entries), len(numbers) + 1))

    def entry(*entries: Any) -> int:
        missing = any(each is None or isinstance(each, SpecError) for each in entries)
        return 0 if missing else number(*entries)

    return combined(entry, *tables).astype(np.int64)


def _connection_layers(
    kind: Kind, unit: str, style: Style, source: int, target: int, identity: bool
) -> tuple[Layers, Layers | None]:
    """The layers of a unit between so many channels, and of its shortcut."""
    shortcut = shortcut_layers(kind, style, source, target) if identity else None
    return unit_layers(kind, unit, style, source, target), shortcut


def _from_structures(structures: Table, read: Callable[[StructureCounts], Any]) -> Table:
    """What `read` answers for each structure; None where there is none."""
    return combined(lambda s: read(s) if isinstance(s, StructureCounts) else None, structures)


def _items(tuples: Table, index: int) -> Table:
    """The item at `index` of each tuple in a table; None where there is none."""
    return combined(lambda x: x[index] if isinstance(x, tuple) and index < len(x) else None, tuples)
