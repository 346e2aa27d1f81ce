"""Receptive fields of one structure under many choices of units at once.

As `analysis/receptive.py` follows rows back from the output of one grid, this follows the rows of
all choices side by side: an array with one line for each. Widths and fusions play no part.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridgen.analysis.receptive import hull
from gridgen.grid import FeatureMap
from gridgen.grid.ends import HEADS, STEMS
from gridgen.grid.layers import WHOLE, Layer, Layers, Residual, flat
from gridgen.grid.units import SHORTCUTS, UNITS, Kind
from gridgen.space.structure_counts import Census

WHOLE_IMAGE = 1 << 62
"""Stands for the receptive field of a network that sees the whole image, however large."""

Rows = tuple[NDArray[np.int64], NDArray[np.int64]]
Way = tuple[Layers, ...]
"""Sequences of layers side by side, of each only those that look at other rows."""


class Ways(NamedTuple):
    """What lies on the kinds of connections, and at the ends."""

    lateral: Way
    subsampling: Way
    upsampling: Way
    stem: Way
    head: Way


def way_of_unit(kind: Kind, unit: str, identity: bool) -> Way:
    """Of a connection; the identity is a second sequence beside the unit."""
    added = [SHORTCUTS[kind](1, 1)] if identity else []
    return tuple(_moving(layers) for layers in (UNITS[kind][unit](1, 1), *added))


def way_of_stem(name: str) -> Way:
    """Of a stem."""
    return (_moving(STEMS[name](1, 1)),)


def way_of_head(name: str) -> Way:
    """Of a head."""
    return (_moving(HEADS[name](1, 1)),)


def receptive_fields(census: Census, choices: Sequence[Ways]) -> list[int]:
    """The receptive field of each of `choices`; `WHOLE_IMAGE` where it has no end."""
    places = np.arange(census.multiple)
    first = np.broadcast_to(places, (len(choices), census.multiple))
    heads, stems = (_Lines(part, choices) for part in ("head", "stem"))
    kinds = {kind: _Lines(kind, choices) for kind in UNITS}
    seen: dict[FeatureMap, Rows] = {census.output: heads.back((first, first))}
    for kind, source, target in reversed(census.links):
        reached = kinds[kind].back(seen[target])
        seen[source] = hull(reached, seen[source]) if source in seen else reached
    begin, end = stems.back(seen[census.input])
    used = {"stem", "head", *(link.kind for link in census.links)}
    whole = [any(map(_sees_all, (getattr(ways, part) for part in used))) for ways in choices]
    sides = (end - begin).max(axis=1) + 1
    return [WHOLE_IMAGE if sees else int(side) for sees, side in zip(whole, sides, strict=True)]


class _Lines:
    """The lines of the array that go the same way through a part."""

    def __init__(self, part: str, choices: Sequence[Ways]) -> None:
        lines: dict[Way, list[int]] = {}
        for line, ways in enumerate(choices):
            lines.setdefault(getattr(ways, part), []).append(line)
        self.lines = {way: np.array(places) for way, places in lines.items()}

    def back(self, rows: Rows) -> Rows:
        """The rows before the part that `rows` after it see."""
        if len(self.lines) == 1:
            return _along(next(iter(self.lines)), rows)
        first, last = np.empty_like(rows[0]), np.empty_like(rows[1])
        for way, lines in self.lines.items():
            first[lines], last[lines] = _along(way, (rows[0][lines], rows[1][lines]))
        return first, last


def _along(way: Way, rows: Rows) -> Rows:
    return reduce(hull, (_through(layers, rows) for layers in way))


def _through(layers: Layers, rows: Rows) -> Rows:
    for layer in reversed(layers):
        if isinstance(layer, Residual):
            rows = _along((layer.layers, layer.shortcut), rows)
        elif not _is_whole(layer):
            rows = layer.rows(*rows)
    return rows


def _sees_all(way: Way) -> bool:
    return any(map(_is_whole, flat(layer for layers in way for layer in layers)))


def _is_whole(layer: Layer) -> bool:
    return not isinstance(layer, Residual) and layer.rows(0, 0) is WHOLE


def _moving(layers: Layers) -> Layers:
    """Without the layers that look at their own row alone."""
    return tuple(layer for layer in layers if not _stays(layer))


def _stays(layer: Layer) -> bool:
    if isinstance(layer, Residual):
        return False
    rows: tuple[Any, Any] = np.arange(8), np.arange(8)
    return all(map(np.array_equal, layer.rows(*rows), rows))
