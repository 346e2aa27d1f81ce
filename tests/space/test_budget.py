"""Budgets of one grid, published networks among them."""

import pytest

from gridgen.analysis import count
from gridgen.analysis.memory import Setting, memory
from gridgen.analysis.receptive import receptive_field
from gridgen.architectures import load_spec
from gridgen.grid import build_grid
from gridgen.space import Budget
from gridgen.space.budget import Verdict
from gridgen.space.quantities import QUANTITIES
from gridgen.space.reach import WHOLE_IMAGE
from gridgen.spec import GridSpec

PAPER = GridSpec.of(streams=5, columns="3+3", base_channels=16, classes=19)


def test_every_quantity_has_a_field_of_its_own():
    fields = [quantity.field for quantity in QUANTITIES.values()]
    assert len(set(fields)) == len(fields)
    limits = dict.fromkeys(fields, 5)
    assert dict(Budget.of(**limits).limits()) == dict.fromkeys(QUANTITIES, 5)


def test_what_the_papers_network_costs():
    terms = {"batch": 4, "precision": "bf16", "optimizer": "sgd", "recompute": "unit"}
    budget = Budget.of(**{q.field: 1 for q in QUANTITIES.values()}, **terms)
    grid = build_grid(PAPER)
    counted, needed = count(grid, (400, 400)), memory(grid, (400, 400), Setting.of(**terms))
    assert budget.cost(grid) == {
        "parameters": 13_181_097,
        "activations": counted.activations.total,
        "macs": counted.macs.total,
        "training_memory": needed.peak_training,
        "inference_memory": needed.peak_inference,
        "receptive_field": receptive_field(grid),
    }


@pytest.mark.parametrize("change", [0, -1])
def test_a_limit_may_be_reached(change):
    budget = Budget.of(parameters=13_181_097 + change)
    within = change == 0
    limit = 13_181_097 + change
    assert budget.verdict(build_grid(PAPER)) == [Verdict("parameters", 13_181_097, limit, within)]
    assert budget.broken({"parameters": 13_181_097}) == (
        [] if within else ["13,181,097 parameters are more than 13,181,096"]
    )


def test_a_receptive_field_has_a_least():
    grid = build_grid(PAPER)
    side = receptive_field(grid)
    assert [v.within for v in Budget.of(min_receptive_field=side).verdict(grid)] == [True]
    beyond = Budget.of(min_receptive_field=side + 1)
    assert [v.within for v in beyond.verdict(grid)] == [False]
    assert beyond.broken(beyond.cost(grid)) == [
        f"{side:,} pixels of receptive field are less than {side + 1:,}"
    ]


def test_a_network_that_sees_the_whole_image_sees_enough():
    grid = build_grid(load_spec("pspnet"))
    [verdict] = Budget.of(min_receptive_field=1 << 62).verdict(grid)
    assert verdict == Verdict("receptive_field", WHOLE_IMAGE, 1 << 62, True)
    shown = QUANTITIES["receptive_field"].show(WHOLE_IMAGE)
    assert shown == "endless pixels of receptive field"


def test_the_image_is_rounded_up_to_what_the_streams_need():
    budget = Budget.of(macs=1, size=(390, 401))
    assert budget.image(PAPER) == (400, 416)
    [verdict] = budget.verdict(build_grid(PAPER))
    assert verdict.cost == count(build_grid(PAPER), (400, 416)).macs.total


def test_no_limits_no_verdicts():
    assert Budget().verdict(build_grid(PAPER)) == []
