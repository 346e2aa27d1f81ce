"""All specs of a family, taken apart: which parts their grids have, how many, and at what cost.

A sum over parts of tables, each of which spans a few fields only: how often a part is there
depends on streams, columns and topology, what one costs on channels, unit and size.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, NamedTuple, cast

import numpy as np

from gridgen.grid.units import UNITS, Kind
from gridgen.space import widths as one
from gridgen.space.spec_array import Family, Table, combined
from gridgen.space.structure_counts import Census, Entering, Joining
from gridgen.space.widths import OfPart, Width

MEASURES = ("parameters", "activations", "macs")
SIDES = ("side_channels", "streams", "columns", "fusion")
IDENTITY: dict[Kind, str] = {
    "lateral": "lateral",
    "subsampling": "vertical",
    "upsampling": "vertical",
}
"""Which of the fields `residual.*` says whether the identity is added."""


class Part(NamedTuple):
    """A part of the grids: how many of it they have, and the three measures of one."""

    times: Table
    costs: tuple[Table, ...]

    @property
    def most(self) -> int:
        """No sum over these is larger."""
        return int(self.times.max()) * max(int(table.max()) for table in self.costs)


def total(parts: Iterator[Part]) -> dict[str, Table]:
    """Parameters, activations and MACs of all specs, as exact whole numbers.

    64 bits wide where they suffice, as Python's otherwise.
    """
    every = list(parts)
    kind: Any = np.int64 if sum(part.most for part in every) < 1 << 63 else object
    sums = [np.zeros([1] * every[0].times.ndim, dtype=kind) for _ in MEASURES]
    for part in every:
        times = part.times.astype(kind)
        for index, table in enumerate(part.costs):
            sums[index] = sums[index] + times * table.astype(kind)
    return dict(zip(MEASURES, sums, strict=True))


def parts_of(family: Family, structures: Table, widths: Table) -> Iterator[Part]:
    """The parts of all specs; what `structures` and `widths` have an error for costs nothing."""
    yield from _ends(family, widths)
    yield from _connections(family, structures, widths)
    yield from _fusions(family, structures, widths)
    yield from _sides(family, structures, widths)


def _ends(family: Family, widths: Table) -> Iterator[Part]:
    once = np.ones([1] * widths.ndim, dtype=object)
    images, classes = family.reads("in_channels"), family.reads("classes")
    yield Part(once, _costs(one.stem, widths, family.reads("stem"), images))
    yield Part(once, _costs(one.head, widths, family.reads("head"), classes))


def _connections(family: Family, structures: Table, widths: Table) -> Iterator[Part]:
    for kind in UNITS:
        unit = family.reads(f"units.{kind}")
        identity = family.reads(f"residual.{IDENTITY[kind]}")
        for stream in range(_most_streams(widths)):
            times = _counted(structures, _entering(Entering(kind, stream)))
            if times.any():
                yield Part(times, _costs(one.connection(kind, stream), widths, unit, identity))


def _fusions(family: Family, structures: Table, widths: Table) -> Iterator[Part]:
    fusion = family.reads("fusion")
    joinings = {joining for c in structures.flat if isinstance(c, Census) for joining in c.maps}
    for joining in sorted(joinings):
        costs = _costs(one.fusion(*joining), widths, fusion)
        if any(table.any() for table in costs):
            yield Part(_counted(structures, _joining(joining)), costs)


def _sides(family: Family, structures: Table, widths: Table) -> Iterator[Part]:
    channels = family.table(SIDES, attrgetter("side_channels"))
    if not any(isinstance(given, tuple) for given in channels.flat):
        return
    for stream in range(1, _most_streams(widths)):
        times = _counted(structures, _entry(stream))
        yield Part(times, _costs(one.side(stream), widths, family.reads("stem"), channels))


def _entering(key: Entering) -> Callable[[Census], int]:
    return lambda census: census.connections[key]


def _joining(key: Joining) -> Callable[[Census], int]:
    return lambda census: census.maps[key]


def _entry(stream: int) -> Callable[[Census], int]:
    return lambda census: int(stream in census.entries)


def _most_streams(widths: Table) -> int:
    known = (len(width.channels) for width in widths.flat if isinstance(width, Width))
    return max(known, default=0)


def _counted(structures: Table, read: Callable[[Census], int]) -> Table:
    """`read` of every census; 0 where there is none."""
    return combined(lambda entry: read(entry) if isinstance(entry, Census) else 0, structures)


def _costs(of: OfPart, *tables: Table) -> tuple[Table, ...]:
    """The three measures of a part for each combination of what it depends on."""
    made: Any = np.frompyfunc(of, len(tables), len(MEASURES))(*tables)
    return cast(tuple[Table, ...], made)
