"""A candidate of a study and its costs, by arithmetic alone: nothing is built in torch."""

import json
from dataclasses import replace
from typing import Any, NamedTuple

from gridgen.analysis import count
from gridgen.files import sha256
from gridgen.grid import Grid, build_grid
from gridgen.space import Budget
from gridgen.space.choices import IN_SHAPE, Params, short_text
from gridgen.space.feasible_set import other_limits
from gridgen.space.quantities import BY_FORMULA, QUANTITIES
from gridgen.spec import NetworkSpec
from gridgen.study.language.dimensions import RECIPE, SPECS
from gridgen.study.language.study import Study
from gridgen.study.trials import Candidate
from gridgen.training import Recipe
from gridgen.training.recipe.recipe import changed_recipe

KEY_DIGITS = 16
EXACT = ("parameters", "activations", "macs")


class CountedCandidate(NamedTuple):
    """A candidate, and why it is not to be trained; "" where it meets the budget."""

    candidate: Candidate
    refusal: str


def counted(study: Study, params: Params) -> CountedCandidate:
    """The candidate at a point of the space. Errors: `SpecError` where it makes no network."""
    network = study.network(params)
    name = described(params, network)
    return counted_network(study, name, network, params, study.changes(params))


def described(params: Params, network: NetworkSpec) -> str:
    """What tells a candidate from the others, in one line."""
    topology = params.get("topology")
    title = topology if isinstance(topology, str) and "{" not in topology else network.title
    others = {n: v for n, v in params.items() if n not in (SPECS, "topology", *IN_SHAPE)}
    said = (f"{name.removeprefix(RECIPE)} {short_text(value)}" for name, value in others.items())
    return ", ".join((title, network.shape, *said))


def counted_network(
    study: Study,
    name: str,
    network: NetworkSpec,
    params: Params | None = None,
    changes: dict[str, Any] | None = None,
) -> CountedCandidate:
    """A network as a candidate, trained by the study's recipe with changes; of no point if none is
    given.
    """
    changes = changes or {}
    recipe = changed_recipe(study.training, changes)
    grid, limits = build_grid(network), study.limits_of(recipe)
    costs, refusal = _costs(grid, limits)
    if not refusal:
        asked = [name for name in study.against if name in QUANTITIES and name not in costs]
        costs |= {name: QUANTITIES[name].of(grid, limits) for name in asked}
    key = candidate_key(grid, recipe)
    return CountedCandidate(Candidate(name, params or {}, network, changes, costs, key), refusal)


def candidate_key(grid: Grid, recipe: Recipe, init: str | None = None) -> str:
    """Equal for the same network trained in the same way, from random weights or others."""
    begun = [] if init is None else [init]
    said = json.dumps([grid.fingerprint, recipe.complete(), *begun], sort_keys=True)
    return sha256(said.encode())[:KEY_DIGITS]


def confirmed(study: Study, candidate: Candidate) -> Candidate:
    """A candidate as the study's confirmations train it: another one where they train otherwise."""
    confirm = study.confirm
    if confirm is None or not (confirm.recipe or confirm.init):
        return candidate
    changes = {**candidate.recipe, **confirm.recipe}
    recipe = changed_recipe(study.training, changes)
    key = candidate_key(build_grid(candidate.network), recipe, confirm.init)
    return replace(candidate, recipe=changes, key=key)


def _costs(grid: Grid, limits: Budget) -> tuple[dict[str, int], str]:
    """Exact counts and the limited costs, and what limits they break.

    Memory, which takes longer, is counted where the others are within.
    """
    totals = count(grid, limits.image(grid.spec))
    counts = {name: getattr(totals, name).total for name in EXACT}
    costs = dict(counts)
    late = {name for name, _ in other_limits(limits)}
    for names in (set(QUANTITIES) - late, late):
        asked = [name for name, _ in limits.limits() if name in names]
        limited = {name: _cost(name, grid, limits, counts) for name in asked}
        costs |= {_named(name, limits): cost for name, cost in limited.items()}
        broken = limits.broken(limited)
        if broken:
            return costs, "; ".join(broken)
    return costs, ""


def _cost(name: str, grid: Grid, limits: Budget, counts: dict[str, int]) -> int:
    """A limited cost; what is counted already is not counted twice."""
    known = name in counts and _named(name, limits) == name
    return counts[name] if known else QUANTITIES[name].of(grid, limits)


def _named(quantity: str, limits: Budget) -> str:
    """The paper's formula gives other numbers than the exact counts of the same name."""
    by_paper = limits.bound == "paper" and quantity in BY_FORMULA
    return f"paper_{quantity}" if by_paper else quantity
