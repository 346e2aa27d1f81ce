"""Limits on memory, which a few grids of each kind decide for all."""

import pytest

from gridgen.grid import UNITS, build_grid
from gridgen.space import Budget, Range, feasible
from gridgen.space.quantities import QUANTITIES
from gridgen.space.workload import Workload
from gridgen.spec import GridSpec

SHARED = {"streams": 2, "columns": "1+1", "classes": 2}
MEMORY = ("training_memory", "inference_memory")
TERMS = {"size": (32, 48), "batch": 32}


@pytest.mark.parametrize("name", MEMORY)
@pytest.mark.parametrize("lateral", UNITS["lateral"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_wider_network_needs_more(name, lateral, precision):
    """What deciding for a whole line by its widest network rests on."""
    workload = Workload(**TERMS, precision=precision)
    needed = [
        QUANTITIES[name].of(
            build_grid(GridSpec(**SHARED, base_channels=base, units={"lateral": lateral})),
            workload,
        )
        for base in range(1, 14)
    ]
    assert needed == sorted(needed)


@pytest.mark.parametrize("name", MEMORY)
def test_a_few_widths_decide_for_all_of_them(name):
    base = Range(low=1, high=64)
    space = {"base_channels": base, "units.lateral": ("residual", "bottleneck")}
    limits = [
        QUANTITIES[name].of(build_grid(GridSpec(**SHARED, base_channels=widest)), Workload(**TERMS))
        for widest in (1, 37, 64)
    ]
    for limit, widest in zip(limits, (1, 37, 64), strict=True):
        found = feasible(SHARED, space, Budget(**{name: limit}, **TERMS))
        assert found.within[:, 0].tolist() == [width <= widest for width in base.numbers()]
        assert len(found.cell_costs[name]) <= 16
        assert found.broken[name] == found.points - found.feasible


def test_only_what_meets_the_other_limits_is_looked_at():
    space = {"base_channels": (2, 4, 8), "streams": (2, 3)}
    budget = Budget(parameters=2000, training_memory="1GB", **TERMS)
    found = feasible(SHARED, space, budget)
    [index] = found.cell_costs["training_memory"]
    assert found.specs.spec_at(index) == GridSpec(**SHARED, base_channels=2)
    assert found.broken == {"parameters": 5, "training_memory": 0}


def test_it_is_told_how_far_it_is():
    heard = []
    space = {"columns": ("1+1", "2+2"), "base_channels": (2, 4)}
    shared = {"streams": 2, "classes": 2}
    budget = Budget(training_memory="1GB", **TERMS)
    feasible(shared, space, budget, lambda done, total: heard.append((done, total)))
    assert heard == [(0, 2), (1, 2)]


def test_of_total_dropout_it_matters_whether_there_is_any():
    """A step that may drop units adds in other places."""
    space = {"base_channels": (2, 4), "total_dropout": (0.1, 0, 0.2, 0.3)}
    found = feasible(SHARED, space, Budget(training_memory="1GB", **TERMS))
    assert (found.within.shape, found.feasible) == ((2, 4), 8)
    assert sorted(found.cell_costs["training_memory"]) == [(1, 0), (1, 1)]
