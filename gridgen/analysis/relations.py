"""Relations of two grids: whether one is a subgraph of the other, and what it needs if not."""

from dataclasses import asdict, dataclass
from typing import Any

from gridgen.analysis.needs import needs, same_map, sides_within
from gridgen.grid import FeatureMap, Grid
from gridgen.grid.layers import Layers


@dataclass(frozen=True)
class Relation:
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

    def as_json(self) -> dict[str, Any]:
        """Plain names and booleans."""
        return {"subgraph": self.subgraph, **asdict(self)}


def relate(a: Grid, b: Grid) -> Relation:
    """Compare `a` with `b` by the names of connections and maps.

    If `b` is pruned, its pruned form is compared.

    >>> from gridgen.grid import build_grid, prune
    >>> from gridgen.spec import GridSpec
    >>> full = build_grid(GridSpec.of(streams=5, columns="3+3", base_channels=16, classes=19))
    >>> relation = relate(prune(full, "unet"), full)
    >>> relation.subgraph, len(relation.common), len(relation.only_in_b)
    (True, 33, 16)
    >>> relate(full, prune(full, "unet")).needs
    ('8 more subsampling connections', '8 more upsampling connections')
    """
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
