"""Cost tables of every spec in a search space: parameters, activations, MACs, receptive field."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from gridgen.analysis.counting import paper_activations, paper_parameters
from gridgen.analysis.sizes import legal_size
from gridgen.errors import SpecError
from gridgen.grid.units import UNITS
from gridgen.space.part_costs import IDENTITY, SIDES, Widths, parts_of, styles_of, total
from gridgen.space.spec_array import SpecArray, Table, combined
from gridgen.space.structure_counts import (
    STRUCTURE,
    PartLayers,
    StructureCounts,
    by_stride,
    layers_after,
    layers_before,
    layers_between,
    receptive_fields,
    structure_of,
)
from gridgen.space.workload import Workload
from gridgen.spec import GridSpec

WIDTHS = ("streams", "base_channels", "channels", "dimensions", "stem", "norm", "size")
"""Fields that widths depend on; `size` is the policy, which changes the image to a legal one, and
what is legal depends on streams, stem and norm.
"""


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
        return self.specs.table(STRUCTURE, structure_of)

    @cached_property
    def widths(self) -> Table:
        """The `Widths` of each choice of the fields `WIDTHS`, or its `SpecError`."""
        return self.specs.table(WIDTHS, lambda spec: Widths.of(spec, self.workload.image(spec)))

    @cached_property
    def reasons(self) -> Table:
        """Why a spec or its grid cannot be made, as `build_grid` says; "" where it can."""
        sides = self.specs.table(SIDES, lambda spec: None)
        return combined(_first_reason, self.widths, sides, self.structures)

    @cached_property
    def counts(self) -> dict[str, Table]:
        """Parameters, activations and MACs, exactly."""
        return total(parts_of(self.specs, self.structures, self.widths))

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
        strides = self.specs.table(("stem",), lambda spec: spec.stride)
        ends = (
            combined(layers_before, reads("stem"), styles),
            combined(layers_after, reads("head"), styles, strides),
        )
        return combined(PartLayers, *units, *ends, strides)


def _first_reason(*entries: object) -> str:
    errors = (entry for entry in entries if isinstance(entry, SpecError))
    return str(next(errors, "")).split("\n")[0]


def _first_number(one: object, other: int) -> int:
    return one if isinstance(one, int) else other


def _approximation(spec: GridSpec, quantity: str, workload: Workload) -> int | None:
    if quantity == "parameters":
        return paper_parameters(spec)
    return paper_activations(spec, legal_size(spec, workload.image(spec)))
