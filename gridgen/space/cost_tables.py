"""Cost tables of every spec in a search space: parameters, activations, MACs, receptive field."""

import operator
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from typing import Any

import numpy as np

from gridgen.analysis.counting import paper_activations, paper_parameters
from gridgen.analysis.sizes import legal_size
from gridgen.errors import SpecError
from gridgen.grid.units import UNITS
from gridgen.space.part_costs import IDENTITY, Widths, parts_of, styles_of, total
from gridgen.space.spec_array import SpecArray, Table, combined, combined_or_error
from gridgen.space.structure_counts import (
    PartLayers,
    StructureCounts,
    by_stride,
    layers_after,
    layers_before,
    layers_between,
    receptive_fields,
    structures_of,
    topology_key,
)
from gridgen.space.workload import Workload
from gridgen.spec import GridSpec
from gridgen.spec.gridspec import channels_of_streams, require_sides

SIZES = ("streams", "dimensions", "stem", "norm", "size")
"""Fields that the size of the image depends on; `size` is the policy, which changes the image to a
legal one, and what is legal depends on streams, stem and norm.
"""
WIDTHS = (*SIZES, "base_channels", "channels")
"""Fields that widths depend on."""
REASONS = ("streams", "columns", "base_channels", "channels", "side_channels", "topology")
"""Fields whose values may fit no spec at some points, in the order of the spec."""
SIDES = ("streams", "columns", "fusion")
"""Fields that side channels have to fit."""


@dataclass(frozen=True)
class CostTables:
    """The tables of all specs of a space under one workload.

    Entries for specs that have no grid are arbitrary; `reasons` tells which these are.
    """

    specs: SpecArray
    workload: Workload

    @cached_property
    def structures(self) -> Table:
        """The `StructureCounts` of each structure, or the `SpecError` that it raises."""
        values_of = self.specs.values_of
        topologies = combined_or_error(topology_key, values_of("topology"))
        known = frozenset(key for key in topologies.flat if not isinstance(key, SpecError))
        of_shape = combined_or_error(
            partial(structures_of, topologies=known), values_of("streams"), values_of("columns")
        )
        return combined_or_error(dict.__getitem__, of_shape, topologies)

    @cached_property
    def channels(self) -> Table:
        """The channels of every stream, or a `SpecError`."""
        fields = ("streams", "base_channels", "channels")
        return combined_or_error(channels_of_streams, *map(self.specs.values_of, fields))

    @cached_property
    def widths(self) -> Table:
        """The `Widths` of each choice of the fields `WIDTHS`, or a `SpecError`."""
        sizes = self.specs.table(SIZES, lambda spec: legal_size(spec, self.workload.image(spec)))
        return combined_or_error(Widths, self.channels, _short(sizes), self.strides)

    @cached_property
    def sides(self) -> Table:
        """The channels of features that enter beside the image, None, or a `SpecError`."""
        sides = self.specs.values_of("side_channels")
        checks = combined_or_error(require_sides, *map(self.specs.values_of, SIDES), sides)
        return combined_or_error(lambda given, _: given, sides, checks)

    @cached_property
    def reasons(self) -> Table:
        """Why a spec or its grid cannot be made, as `build_grid` says; "" where it can."""
        fields = map(self.specs.values_of, REASONS)
        tables = (*fields, self.channels, self.sides, self.structures)
        return reduce(_first, (combined(_reason, table) for table in tables))

    @cached_property
    def strides(self) -> Table:
        """What the stem divides the sides of the image by."""
        return self.specs.table(("stem",), lambda spec: spec.stride)

    @cached_property
    def counts(self) -> dict[str, Table]:
        """Parameters, activations and MACs, exactly."""
        return total(parts_of(self.specs, self.structures, self.widths, self.sides))

    def approximations(self, quantity: str) -> Table:
        """The paper's approximations where channels double, exact counts elsewhere."""
        read = partial(_approximation, quantity=quantity, workload=self.workload)
        by_paper = self.specs.table((*WIDTHS, "columns"), read)
        exact = self.counts[quantity]
        return combined(_first_number, by_paper, exact).astype(exact.dtype)

    @cached_property
    def receptive_fields(self) -> Table:
        """Sides in pixels; `WHOLE_IMAGE` where there is no limit."""
        layers = self._layers
        groups = by_stride(layers.flat)

        def of_all(structure: Any) -> dict[PartLayers, int]:
            if not isinstance(structure, StructureCounts):
                return dict.fromkeys(layers.flat, 0)
            each = (receptive_fields(structure, group) for group in groups)
            return {choice: side for sides in each for choice, side in sides.items()}

        by_structure = combined(of_all, self.structures)
        # Tables of objects would compare a million entries one by one.
        return combined(dict.__getitem__, by_structure, layers).astype(np.int64)

    @cached_property
    def _layers(self) -> Table:
        """The `PartLayers` of each choice of units, identities, ends and normalization."""
        reads = self.specs.reads
        styles = styles_of(self.specs)
        units = [
            combined(
                partial(layers_between, kind),
                reads(f"units.{kind}"),
                styles,
                reads(f"residual.{IDENTITY[kind]}"),
            )
            for kind in UNITS
        ]
        ends = (
            combined(layers_before, reads("stem"), styles),
            combined(layers_after, reads("head"), styles, self.strides),
        )
        return combined(PartLayers, *units, *ends, self.strides)


def _reason(entry: object) -> str:
    return str(entry).split("\n")[0] if isinstance(entry, SpecError) else ""


def _first(reasons: Table, others: Table) -> Table:
    """The reasons, and others where there are none."""
    return np.where(reasons.astype(bool), reasons, others)


def _short(table: Table) -> Table:
    """The table, of length 1 along axes along which its entries are equal."""
    for axis in range(table.ndim):
        first = table.take([0], axis)
        if all(map(operator.eq, np.broadcast_to(first, table.shape).flat, table.flat)):
            table = first
    return table


def _first_number(one: object, other: int) -> int:
    return one if isinstance(one, int) else other


def _approximation(spec: GridSpec, quantity: str, workload: Workload) -> int | None:
    if quantity == "parameters":
        return paper_parameters(spec)
    return paper_activations(spec, legal_size(spec, workload.image(spec)))
