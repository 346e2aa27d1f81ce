"""Budgets of one grid, published networks among them."""

import pytest

from gridgen.analysis import count
from gridgen.analysis.receptive import receptive_field
from gridgen.architectures import load_spec
from gridgen.errors import SpecError
from gridgen.grid import build_grid
from gridgen.memory import Setting, count_memory
from gridgen.space import Budget
from gridgen.space.budget import LimitVerdict
from gridgen.space.quantities import QUANTITIES
from gridgen.space.structure_counts import WHOLE_IMAGE
from gridgen.spec import GridSpec

PAPER = GridSpec(streams=5, columns="3+3", base_channels=16, classes=19)


def test_every_quantity_has_a_field_of_its_own():
    fields = [quantity.field for quantity in QUANTITIES.values()]
    assert len(set(fields)) == len(fields)
    limits = dict(zip(fields, range(10_000_000, 10_000_010), strict=False))
    limits["min_receptive_field"] = 5
    named = {name: limits[quantity.field] for name, quantity in QUANTITIES.items()}
    assert dict(Budget(**limits).limits()) == named


def test_what_the_papers_network_costs():
    workload = {"batch": 4, "precision": "bf16", "optimizer": "sgd", "recompute": "unit"}
    limits = {q.field: 1 if q.least else 10**6 for q in QUANTITIES.values()}
    budget = Budget(**limits, **workload)
    grid = build_grid(PAPER)
    counted, needed = (
        count(grid, (400, 400)),
        count_memory(grid, (400, 400), Setting(**workload)),
    )
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
    budget = Budget(parameters=13_181_097 + change)
    within = change == 0
    limit = 13_181_097 + change
    assert budget.verdict(build_grid(PAPER)) == [
        LimitVerdict("parameters", 13_181_097, limit, within)
    ]
    assert budget.broken({"parameters": 13_181_097}) == (
        [] if within else ["13,181,097 parameters are more than 13,181,096"]
    )


def test_a_receptive_field_has_a_least():
    grid = build_grid(PAPER)
    side = receptive_field(grid)
    assert [v.within for v in Budget(min_receptive_field=side).verdict(grid)] == [True]
    beyond = Budget(min_receptive_field=side + 1)
    assert [v.within for v in beyond.verdict(grid)] == [False]
    assert beyond.broken(beyond.cost(grid)) == [
        f"{side:,} pixels of receptive field are less than {side + 1:,}"
    ]


def test_a_network_that_sees_the_whole_image_sees_enough():
    grid = build_grid(load_spec("pspnet"))
    [verdict] = Budget(min_receptive_field=65536).verdict(grid)
    assert verdict == LimitVerdict("receptive_field", WHOLE_IMAGE, 65536, True)
    assert verdict.text == "endless pixels, at least the 65,536 pixels wanted"
    assert verdict.as_json() == {
        "quantity": "receptive_field",
        "cost": None,
        "limit": 65536,
        "within": True,
    }
    shown = QUANTITIES["receptive_field"].show(WHOLE_IMAGE)
    assert shown == "endless pixels of receptive field"


def test_no_image_is_so_large_that_more_may_be_asked_to_be_seen():
    with pytest.raises(SpecError) as caught:
        Budget(min_receptive_field=65537)
    assert str(caught.value) == "min_receptive_field: 65537 is more than 65536"


def test_the_image_is_rounded_up_to_what_the_streams_need():
    budget = Budget(macs=1, size=(390, 401))
    assert budget.image(PAPER) == (400, 416)
    [verdict] = budget.verdict(build_grid(PAPER))
    assert verdict.cost == count(build_grid(PAPER), (400, 416)).macs.total


@pytest.mark.parametrize("policy", ["pad", "crop", "resize"])
def test_a_size_policy_changes_the_image_as_everywhere(policy):
    """What is counted for a budget is what `count` and `memory` say of the size as it is given."""
    spec, size = PAPER.but(size=policy), (483, 361)
    limits = {"macs": 1, "activations": 1, "training_memory": "1GB", "inference_memory": "1GB"}
    costs = Budget(**limits, size=size, batch=2).cost(build_grid(spec))
    counted = count(build_grid(spec), size)
    needed = count_memory(build_grid(spec), size, Setting(batch=2))
    assert costs == {
        "activations": counted.activations.total,
        "macs": counted.macs.total,
        "training_memory": needed.peak_training,
        "inference_memory": needed.peak_inference,
    }


def test_an_image_too_small_to_be_cropped_is_rounded_up():
    spec = PAPER.but(size="crop")
    assert Budget(size=(8, 400)).image(spec) == (16, 400)
    assert Budget(size=(16, 401)).image(spec) == (16, 401)


@pytest.mark.parametrize("policy", ["error", "pad", "crop", "resize"])
def test_without_a_size_it_is_that_of_count(policy):
    spec = GridSpec(streams=6, columns="1+1", base_channels=2, classes=2, size=policy)
    [verdict] = Budget(macs=1).verdict(build_grid(spec))
    assert verdict.cost == count(build_grid(spec)).macs.total


def test_training_is_on_crops_and_predicting_on_whole_images():
    grid = build_grid(GridSpec(streams=3, columns="1+1", base_channels=2, classes=2))
    limits = {"training_memory": "1GB", "inference_memory": "1GB"}
    assert Budget(**limits, crop=62, size="128x96").cost(grid) == {
        "training_memory": count_memory(grid, (64, 64)).peak_training,
        "inference_memory": count_memory(grid, (128, 96)).peak_inference,
    }


def test_a_size_is_a_pair_or_text():
    assert Budget(size="480x360") == Budget(size=[480, 360])
    assert Budget(size="480x360").plain() == {"size": [480, 360]}


@pytest.mark.parametrize(
    ("size", "fact"),
    [
        (
            "480-360",
            "size: '480-360' is not a size; write HEIGHTxWIDTH, such as 360x480 "
            "(volumes: 64x64x32)",
        ),
        (
            "8x8x8x8",
            "size: '8x8x8x8' is not a size; write HEIGHTxWIDTH, such as 360x480 "
            "(volumes: 64x64x32)",
        ),
        ("0x360", "size.0: 0 is less than 1"),
        ("480x70000", "size.1: 70000 is more than 65536"),
    ],
)
def test_what_is_no_size_is_refused(size, fact):
    with pytest.raises(SpecError) as caught:
        Budget(size=size)
    assert str(caught.value) == fact


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            PAPER,
            "10,027,008 by the paper's formula, within the 12,000,000 allowed (0.84 times)",
        ),
        (
            PAPER.but(topology="unet"),
            "10,027,008 by the paper's formula for the full grid, within the 12,000,000 allowed "
            "(0.84 times)",
        ),
        (
            PAPER.but(base_channels=None, channels=[16, 32, 64, 128, 255]),
            "13,114,350 exactly, as the paper has no formula for it, more than the "
            "12,000,000 allowed (1.09 times)",
        ),
    ],
)
def test_the_papers_bound_is_named(spec, text):
    budget = Budget(parameters="12M", bound="paper")
    assert [verdict.text for verdict in budget.verdict(build_grid(spec))] == [text]


def test_what_breaks_the_papers_bound_says_so():
    [verdict] = Budget(parameters="10M", bound="paper").verdict(build_grid(PAPER))
    assert verdict.broken == (
        "10,027,008 parameters are more than 10,000,000 (1.00 times, by the paper's formula)"
    )


def test_the_papers_bound_is_no_word_about_macs():
    [verdict] = Budget(macs="40GMAC", bound="paper").verdict(build_grid(PAPER))
    assert verdict.text == "33,098,400,000 MACs, within the 40 GMAC allowed (0.83 times)"


@pytest.mark.parametrize("dimensions", [1, 3])
def test_the_papers_bound_has_a_formula_for_images_alone(dimensions):
    spec = GridSpec(streams=2, columns="1+1", base_channels=4, classes=2, dimensions=dimensions)
    [verdict] = Budget(parameters="10M", bound="paper").verdict(spec)
    assert verdict.note == "exactly, as the paper has no formula for it"


def test_the_papers_bound_has_no_formula_for_published_networks():
    [verdict] = Budget(activations="1G", bound="paper").verdict(build_grid(load_spec("fpn")))
    assert verdict.note == "exactly, as the paper has no formula for it"


def test_no_limits_no_verdicts():
    assert Budget().verdict(build_grid(PAPER)) == []
