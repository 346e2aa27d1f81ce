"""Holding specs against a budget: all of a search space at once, and one point alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from gridgen.arguments import checked
from gridgen.errors import SpecError, unknown
from gridgen.grid.building import NAMED
from gridgen.progress import OnProgress, no_progress
from gridgen.space.budget import Budget
from gridgen.space.choices import Choices, Range, Space, require_fields
from gridgen.space.cost_tables import REASONS, CostTables
from gridgen.space.feasible_set import Feasible, other_limits
from gridgen.space.memory_limit import MemoryLimit
from gridgen.space.quantities import QUANTITIES
from gridgen.space.spec_array import SpecArray, require_no_errors
from gridgen.spec import GridSpec
from gridgen.spec.document import plain_value

ChoicesLike = Annotated[
    Range | Sequence[Any] | Mapping[str, Any] | NDArray[Any],
    "a list such as [4, 8], or a range such as {'low': 4, 'high': 64}",
]


@checked
def feasible(
    spec: Mapping[str, Any] | GridSpec,
    space: Mapping[str, ChoicesLike],
    budget: Budget | None = None,
    on_progress: OnProgress = no_progress,
) -> Feasible:
    """Find the specs that meet `budget`: those of `spec` with every combination of `space`.

    `space` has a range or a list of values for every field that varies. Without a budget, all
    specs that make a grid are feasible.

    `on_progress` is called during limits on memory, which take longer. Errors: `SpecError` for a
    range without steps, a space of too many points, and fields or names that do not exist.

    >>> found = feasible(
    ...     {"classes": 3, "columns": "1+1"},
    ...     {"streams": (2, 3), "base_channels": (4, 8), "total_dropout": (0, 0.1)},
    ...     Budget(parameters="15k"),
    ... )
    >>> found.points, found.feasible, found.networks, found.broken
    (8, 6, 6, {'parameters': 2})
    """
    shared = plain_value(spec.plain() if isinstance(spec, GridSpec) else dict(spec))
    choices = {name: _choices(name, given) for name, given in space.items()}
    if not choices:
        raise SpecError("space: no field varies; give choices, such as {'streams': [3, 4]}")
    budget = budget or Budget()
    tables = _tables_of(shared, choices, budget)
    found = _by_tables(tables, budget)
    for limit in other_limits(budget):
        look = MemoryLimit(tables, limit, found.within, on_progress)
        met = look.met()
        found = replace(
            found,
            cell_costs=found.cell_costs | {limit.quantity: look.costs},
            within=met,
            broken=found.broken | {limit.quantity: found.many(found.within & ~met)},
        )
    return found


def _choices(name: str, given: ChoicesLike) -> Choices:
    """A range, which may be written as a dictionary as in a study, or a tuple of values."""
    if isinstance(given, Range):
        return given
    try:
        if isinstance(given, Mapping):
            return Range(**given)
        values = plain_value(list(given) if isinstance(given, Sequence) else given)
    except SpecError as error:
        said = str(error).removeprefix(f"{Range.kind}: ")
        raise SpecError(f"space: {name}: {said}") from error
    if not isinstance(values, list) or not values:
        raise SpecError(f"space: {name}: {given!r} is no list of choices; give one such as [4, 8]")
    return tuple(values)


def _tables_of(spec: Mapping[str, Any], space: Space, budget: Budget) -> CostTables:
    require_fields(space)
    specs = SpecArray(spec, space)
    for name in spec.keys() - GridSpec.model_fields.keys():
        raise SpecError(unknown("spec field", name, GridSpec.model_fields), ("spec", name))
    for name in NAMED.keys() - {"topology"}:
        require_no_errors(specs.values_of(name))
    for name in GridSpec.model_fields:
        values = specs.values_of(name)
        # A number of streams, for one, may fit no spec at some points, but not at all of them.
        if name not in REASONS or all(isinstance(value, SpecError) for value in values.flat):
            require_no_errors(values)
    return CostTables(specs, budget)


def _by_tables(tables: CostTables, budget: Budget) -> Feasible:
    """The specs within the limits on quantities that have a table."""
    valid = (tables.reasons == "").astype(bool)
    shape = np.broadcast_shapes(valid.shape, *(t.shape for t in tables.counts.values()))
    within = np.broadcast_to(valid, shape)
    found = Feasible(tables, budget, within)
    for limit in budget.limits():
        over = QUANTITIES[limit.quantity].over
        if over is not None:
            costs = over(tables)
            met = limit.met(costs).astype(bool)
            found = replace(
                found,
                costs=found.costs | {limit.quantity: costs},
                within=found.within & met,
                broken=found.broken | {limit.quantity: found.many(found.valid & ~met)},
            )
    return found
