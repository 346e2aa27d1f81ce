"""Differences of two grids: connections, costs, and the weights that fit both."""

from collections.abc import Hashable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from gridgen.analysis.counting import Count, count
from gridgen.analysis.receptive import receptive_field
from gridgen.analysis.relations import relate
from gridgen.analysis.sizes import SizeLike, as_size, common_size
from gridgen.arguments import checked
from gridgen.grid import Grid, GridLike, as_grid
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size
from gridgen.shown import Shown, ShownRows
from gridgen.text import brief, field_text


class CostChange(NamedTuple):
    """One number, in grid A and in grid B."""

    what: str
    a: int
    b: int

    @property
    def difference(self) -> int:
        """The number in B less that in A."""
        return self.b - self.a


@dataclass(frozen=True, repr=False)
class Difference(Shown):
    """The differences of grids A and B: names of connections, counts for one image of `size`.

    `changed` are connections of both, `changed_maps` maps of both, that are not the same;
    `ends_equal` is whether stem and head are.
    `inherited` names the parts of a trained A whose weights fit B, as they begin in a
    `state_dict`: `stem`, `sides.map_1_0`, `units.sub_1_0`, `shortcuts.sub_1_0`,
    `fusions.map_0_1`, `weights.map_0_1`, `head`.
    """

    size: Size
    only_in_a: tuple[str, ...]
    only_in_b: tuple[str, ...]
    changed: tuple[str, ...]
    changed_maps: tuple[str, ...]
    ends_equal: bool
    count_a: Count
    count_b: Count
    receptive_fields: tuple[int | None, int | None]
    inherited: tuple[str, ...]
    inherited_parameters: int

    @property
    def costs(self) -> tuple[CostChange, ...]:
        """The totals of both grids."""
        a, b = self.count_a, self.count_b
        return (
            CostChange("parameters", a.parameters.total, b.parameters.total),
            CostChange("activations", a.activations.total, b.activations.total),
            CostChange("MACs", a.macs.total, b.macs.total),
            CostChange("connections", a.connections.kept, b.connections.kept),
            CostChange("maps", a.maps, b.maps),
            CostChange("paths", a.paths, b.paths),
        )

    @property
    def inherited_share(self) -> float:
        """The share of B's parameters that A's weights could fill."""
        total = self.count_b.parameters.total
        return self.inherited_parameters / total if total else 0.0

    def rows(self) -> ShownRows:
        """What changes from A to B."""
        inherited = (
            f"{self.inherited_parameters:,} of B's parameters "
            f"({self.inherited_share:.1%}): {brief(self.inherited)}"
        )
        return [
            ("only in A", brief(self.only_in_a)),
            ("only in B", brief(self.only_in_b)),
            ("changed", brief(self.changed)),
            ("changed maps", brief(self.changed_maps)),
            ("stem, head", "equal" if self.ends_equal else "differ"),
            ("image", shape_text(self.size)),
            *((c.what, f"{c.a:,} -> {c.b:,} ({c.difference:+,})") for c in self.costs),
            ("receptive field", " -> ".join(map(field_text, self.receptive_fields))),
            ("inherited", inherited),
        ]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and names."""
        return {**asdict(self), "inherited_share": self.inherited_share}


@checked
def diff(a: GridLike, b: GridLike, size: SizeLike | None = None) -> Difference:
    """Compare `a` with `b`, counted for one image of `size` (height, width).

    Without a size, the smallest that both can take and that holds the paper's 400 x 400. Errors:
    `SizeError` as `count`.

    >>> from gridgen.grid import build_grid, prune
    >>> from gridgen.spec import GridSpec
    >>> full = build_grid(GridSpec(streams=5, columns="3+3", base_channels=16, classes=19))
    >>> difference = diff(full, prune(full, "unet"))
    >>> difference.size, difference.costs[0].difference, difference.inherited_share
    ((400, 400), -3533760, 1.0)
    """
    a, b = as_grid(a), as_grid(b)
    size = as_size(size)
    relation = relate(a, b)
    size = size or common_size(a.spec, b.spec)
    theirs, ours = _weights(b), _weights(a)
    inherited = [name for name, part in theirs.items() if ours.get(name) == part]
    return Difference(
        size=size,
        only_in_a=relation.only_in_a,
        only_in_b=relation.only_in_b,
        changed=relation.differing,
        changed_maps=relation.differing_maps,
        ends_equal=relation.ends_equal,
        count_a=count(a, size),
        count_b=count(b, size),
        receptive_fields=(receptive_field(a), receptive_field(b)),
        inherited=tuple(inherited),
        inherited_parameters=sum(theirs[name].parameters for name in inherited),
    )


class _Weights(NamedTuple):
    """The weights of one part: what they are learnt for, and their number."""

    content: Hashable
    parameters: int


def _weights(grid: Grid) -> dict[str, _Weights]:
    """The parts of a grid that have weights, by the prefixes of their names in a `state_dict`."""
    arrivals = {target: tuple(c.name for c in grid.into(target)) for target in grid.maps}
    # What a concatenation or a weighted sum learns holds for these arrivals in this order alone.
    joined = {
        f"fusions.{target.name}": names
        for target, names in arrivals.items()
        if grid.fusion_of(target).join == "concat"
    }
    parts = {
        name: _Weights((layers, joined.get(name)), sum(layer.parameters for layer in layers))
        for name, layers in grid.parts()
    }
    for target, names in arrivals.items():
        weights = grid.fusion_of(target).weights(len(names))
        parts[f"weights.{target.name}"] = _Weights(names, weights)
    return {name: part for name, part in parts.items() if part.parameters}
