"""BN on few values, against a training step of the real network."""

import pytest
import torch
from hypothesis import given, settings, strategies as st
from strategies import specs, topologies_for

from gridgen.analysis.lints import Case
from gridgen.analysis.lints.layers import FEWEST, few_values
from gridgen.architectures import load_spec
from gridgen.emit import GridNetwork
from gridgen.grid import build_grid, prune
from gridgen.spec import GridSpec

REFUSED = "which torch refuses"


def trains(case: Case) -> bool:
    """Whether torch takes a training step of the case."""
    network = GridNetwork(case.grid).train()
    try:
        network(torch.rand(case.batch, case.grid.spec.in_channels, *case.image))
    except ValueError as error:
        return "Expected more than 1 value per channel" not in str(error)
    return True


@given(specs(max_streams=3), st.data())
@settings(max_examples=20)
def test_torch_refuses_what_is_said_to_be_refused(spec, data):
    topology = data.draw(st.sampled_from(topologies_for(spec)))
    grid = prune(build_grid(spec.but(total_dropout=0.0)), topology)
    side = spec.least
    case = Case(grid, (side, data.draw(st.sampled_from([side, 2 * side]))), batch=1)
    found = list(few_values(case))
    assert trains(case) != any(REFUSED in finding.fact for finding in found)
    assert not found or trains(case.mended(found[0].fix))


def small(batch: int, side: int, **fields) -> Case:
    spec = GridSpec(streams=3, columns="1+1", base_channels=2, classes=2, **fields)
    return Case(build_grid(spec), (side, side), batch)


@pytest.mark.parametrize(
    ("batch", "side", "fact"),
    [
        (1, 4, "BN sees 1 value per channel in training at batch 1 and 1x1, which torch refuses"),
        (
            4,
            4,
            "BN sees 4 values per channel in training at batch 4 and 1x1; "
            "their variance errs by 71%",
        ),
        (
            3,
            8,
            "BN sees 12 values per channel in training at batch 3 and 2x2; "
            "their variance errs by 41%",
        ),
    ],
)
def test_it_says_how_few(batch, side, fact):
    facts = {place: f.fact for f in few_values(small(batch, side)) for place in f.places}
    assert set(facts) >= {"sub_2_0", "lateral_2_1", "up_1_1"}
    assert {facts[place] for place in ("sub_2_0", "lateral_2_1", "up_1_1")} == {fact}


@pytest.mark.parametrize(("batch", "side"), [(FEWEST, 4), (4, 8), (1, 16)])
def test_sixteen_values_are_enough(batch, side):
    assert list(few_values(small(batch, side))) == []


def test_the_batch_of_the_fix_is_the_least_that_removes_it():
    case = small(1, 8)
    batch = next(few_values(case)).fix.batch
    assert batch == 4
    assert list(few_values(small(batch, 8))) == []
    assert list(few_values(small(batch - 1, 8))) != []


def test_one_batch_mends_all_streams():
    case = small(1, 4)
    found = list(few_values(case))
    assert len({finding.fact for finding in found}) == 2
    for finding in found:
        assert list(few_values(case.mended(finding.fix))) == []


def test_networks_without_bn_have_none():
    assert list(few_values(small(1, 4, norm="none"))) == []


def test_a_pooled_branch_needs_a_batch_whatever_the_image():
    pspnet = build_grid(load_spec("pspnet"))
    [finding] = few_values(Case(pspnet, (800, 800), batch=4))
    assert (finding.fix.words, finding.fix.flags) == (
        "train in batches of 16",
        ("--batch", "16"),
    )
    assert list(few_values(Case(pspnet, (800, 800), batch=16))) == []
