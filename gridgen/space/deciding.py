"""Deciding which specs meet a budget: of a whole space, or of one point by the same arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gridgen.errors import SpecError
from gridgen.grid import build_grid, require_names
from gridgen.space.budget import Budget, Limit
from gridgen.space.choices import Choices, Params, Range, Space, require_fields
from gridgen.space.cost_tables import Population
from gridgen.space.feasible_set import Feasible
from gridgen.space.memory_limit import ByGrid, Tell, silent
from gridgen.space.quantities import QUANTITIES
from gridgen.space.spec_array import Family, Table, require_no_errors
from gridgen.spec import GridSpec


def feasible(
    spec: Mapping[str, Any],
    space: Mapping[str, Choices | Sequence[Any]],
    budget: Budget,
    tell: Tell = silent,
) -> Feasible:
    """The specs of `space`, beside what all share, that meet `budget`.

    `space` has a range or a list of values for every field that varies.

    `tell(done, total)` hears of limits on memory, which take longer. Errors: `SpecError` for a
    range without steps, a space of too many points, and fields or names that do not exist.

    >>> found = feasible(
    ...     {"classes": 3, "columns": "1+1"},
    ...     {"streams": (2, 3), "base_channels": (4, 8), "total_dropout": (0, 0.1)},
    ...     Budget.of(parameters="15k"),
    ... )
    >>> found.points, found.feasible, found.broken
    (8, 6, {'parameters': 2})
    """
    choices = {name: c if isinstance(c, Range) else tuple(c) for name, c in space.items()}
    population = _population(spec, choices, budget)
    found = _by_tables(population, budget)
    for limit in _others(budget):
        found = _by_grid(found, ByGrid(population, limit, found.within, tell))
    return found


def _population(spec: Mapping[str, Any], space: Space, budget: Budget) -> Population:
    require_fields(space)
    family = Family(spec, space)
    require_no_errors(family.table(("units", "fusion", "stem", "head"), _known))
    return Population(family, budget)


def _known(spec: GridSpec) -> None:
    try:
        require_names(spec)
    except SpecError as error:
        raise spec.blame(error) from error


def _others(budget: Budget) -> list[Limit]:
    """The limits on quantities that have no table."""
    return [limit for limit in budget.limits() if QUANTITIES[limit.quantity].over is None]


def _by_tables(population: Population, budget: Budget) -> Feasible:
    """What keeps to the limits on quantities that have a table."""
    found = _unlimited(population, budget)
    for limit in budget.limits():
        over = QUANTITIES[limit.quantity].over
        if over is not None:
            found = _by_table(found, limit, over(population))
    return found


def _unlimited(population: Population, budget: Budget) -> Feasible:
    valid = (population.reasons == "").astype(bool)
    shape = np.broadcast_shapes(valid.shape, *(t.shape for t in population.counts.values()))
    return Feasible(
        family=population.family,
        budget=budget,
        reasons=population.reasons,
        counts=population.counts,
        within=np.broadcast_to(valid, shape),
    )


def _by_table(found: Feasible, limit: Limit, costs: Table) -> Feasible:
    met = limit.met(costs).astype(bool)
    return replace(
        found,
        costs=found.costs | {limit.quantity: costs},
        within=found.within & met,
        broken=found.broken | {limit.quantity: found.many(found.valid & ~met)},
    )


def _by_grid(found: Feasible, look: ByGrid) -> Feasible:
    met, quantity = look.met(), look.limit.quantity
    return replace(
        found,
        looked=found.looked | {quantity: look.costs},
        within=met,
        broken=found.broken | {quantity: found.many(found.within & ~met)},
    )


@dataclass(frozen=True)
class Costs:
    """What one point costs: exact parameters, activations and MACs, and the limited quantities.

    Memory, for which the point's grid is built, is left out where another limit is broken.
    """

    counts: dict[str, int]
    limited: dict[str, int]


def costs_of(spec: Mapping[str, Any], params: Params, budget: Budget) -> Costs:
    """What a point of a space costs. Errors: `SpecError` where it makes no grid.

    >>> costs_of({"classes": 3}, {"streams": 2, "columns": "1+1", "base_channels": 4}, Budget())
    Costs(counts={'parameters': 3369, 'activations': 18240000, 'macs': 231840000}, limited={})
    """
    alone: Space = {name: (value,) for name, value in params.items()}
    population = _population(spec, alone, budget)
    reason = population.reasons.item()
    if reason:
        raise SpecError(reason)
    counts = {name: int(table.item()) for name, table in population.counts.items()}
    found = _by_tables(population, budget)
    limited = {name: int(table.item()) for name, table in found.costs.items()}
    if found.within.all():
        grid = build_grid(population.family.spec_at([0] * len(params)))
        for quantity, _ in _others(budget):
            limited[quantity] = QUANTITIES[quantity].of(grid, budget)
    return Costs(counts, limited)
