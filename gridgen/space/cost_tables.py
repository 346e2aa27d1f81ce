"""All specs of a family under the terms of a budget: what their quantities are computed from."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from gridgen.analysis import paper
from gridgen.analysis.sizes import legal_size
from gridgen.errors import SpecError
from gridgen.grid.units import UNITS
from gridgen.space.part_costs import IDENTITY, SIDES, parts_of, total
from gridgen.space.receptive import Ways, receptive_fields, way_of_head, way_of_stem, way_of_unit
from gridgen.space.spec_array import Family, Table, combined
from gridgen.space.structure_counts import STRUCTURE, Census, census_of
from gridgen.space.widths import Width
from gridgen.space.workload import Terms
from gridgen.spec import GridSpec

WIDTHS = ("streams", "base_channels", "channels", "size")
"""Fields that widths depend on; `size` is the policy, which changes the image."""


@dataclass(frozen=True)
class Population:
    """A family's tables. They say anything of what is no spec or has no grid; see `reasons`."""

    family: Family
    terms: Terms

    @cached_property
    def structures(self) -> Table:
        """The `Census` of each structure, or the `SpecError` why it is none."""
        return self.family.table(STRUCTURE, census_of)

    @cached_property
    def widths(self) -> Table:
        """The `Width` of each choice of streams, channels and size policy, or its `SpecError`."""
        return self.family.table(WIDTHS, lambda spec: Width.of(spec, self.terms.image(spec)))

    @cached_property
    def reasons(self) -> Table:
        """Why there is no such spec or no grid of it, as `build_grid` says; "" where there is."""
        sides = self.family.table(SIDES, lambda spec: None)
        return combined(_first_reason, self.widths, sides, self.structures)

    @cached_property
    def counts(self) -> dict[str, Table]:
        """Parameters, activations and MACs, exactly."""
        return total(parts_of(self.family, self.structures, self.widths))

    def approximations(self, quantity: str) -> Table:
        """The paper's where they have a value (channels double), exact counts elsewhere."""
        read = partial(_approximation, quantity=quantity, terms=self.terms)
        by_paper = self.family.table((*WIDTHS, "columns"), read)
        exact = self.counts[quantity]
        return combined(_first_number, by_paper, exact).astype(exact.dtype)

    @cached_property
    def receptive_fields(self) -> Table:
        """Sides in pixels; `WHOLE_IMAGE` for what has no end."""
        ways = self._ways
        different = list(dict.fromkeys(ways.flat))

        def of_all(structure: Any) -> dict[Ways, int]:
            known = isinstance(structure, Census)
            sides = receptive_fields(structure, different) if known else [0] * len(different)
            return dict(zip(different, sides, strict=True))

        by_structure = combined(of_all, self.structures)
        return combined(dict.__getitem__, by_structure, ways).astype(np.int64)

    @cached_property
    def _ways(self) -> Table:
        """The `Ways` of each choice of units, identities and ends."""
        reads = self.family.reads
        units = [
            combined(
                partial(way_of_unit, kind),
                reads(f"units.{kind}"),
                reads(f"residual.{IDENTITY[kind]}"),
            )
            for kind in UNITS
        ]
        stem, head = combined(way_of_stem, reads("stem")), combined(way_of_head, reads("head"))
        return combined(Ways, *units, stem, head)


def _first_reason(*entries: object) -> str:
    errors = (entry for entry in entries if isinstance(entry, SpecError))
    return str(next(errors, "")).split("\n")[0]


def _first_number(one: object, other: int) -> int:
    return one if isinstance(one, int) else other


def _approximation(spec: GridSpec, quantity: str, terms: Terms) -> int | None:
    """As `count` gives it."""
    if not spec.doubling:
        return None
    base, sub, up = spec.stream_channels[0], spec.sub_columns, spec.up_columns
    if quantity == "parameters":
        return int(paper.parameters(spec.streams, base, sub, up))
    return int(paper.activations(base, sub, up, *legal_size(spec, terms.image(spec))))
