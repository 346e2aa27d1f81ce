"""Which sub-networks are looked at, and which of them nothing as cheap beats."""

from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from gridgen.errors import SpecError, UsageError
from gridgen.grid import GridSpec
from gridgen.grid.subtopologies import Subtopology
from gridgen.space import Budget
from gridgen.space.subnetworks import Subnetworks
from gridgen.supernet.agreement import ScoreAgreement
from gridgen.supernet.check import FIGURE, UNCHECKED, Agreement
from gridgen.supernet.choosing import best_of, candidates, supernet_front
from gridgen.supernet.page import supernet_page
from gridgen.supernet.scoring import SubnetworkScorer
from tests.supernet.conftest import SPEC

LARGE = GridSpec(streams=5, columns="4+4", base_channels=4, classes=2)


def test_all_are_looked_at_where_they_are_few():
    networks = Subnetworks.every(SPEC, [2, 4])
    assert len(candidates(networks)) == networks.number


def test_of_many_a_sample_with_those_that_have_names():
    networks = Subnetworks.every(LARGE)
    found = candidates(networks, 12)
    assert len({grid.fingerprint for grid in found}) == 12
    kept = {Subtopology.of(grid) for grid in found}
    for name in ("gridnet", "unet", "frrn", "conv-deconv", "resnet"):
        assert Subtopology.of(LARGE.but(topology=name)) in kept
    again = [grid.fingerprint for grid in candidates(networks, 12)]
    assert again == [grid.fingerprint for grid in found]
    others = [grid.fingerprint for grid in candidates(networks, 12, seed=1)]
    assert others != again


def test_a_budget_holds_for_all():
    networks = Subnetworks.every(SPEC, [2, 4])
    found = candidates(networks, budget=Budget(parameters=1500))
    assert 0 < len(found) < networks.number
    assert all(each.within for grid in found for each in Budget(parameters=1500).verdict(grid))


def test_a_budget_that_allows_none_is_told():
    networks = Subnetworks.every(SPEC)
    with pytest.raises(SpecError, match="the smallest sub-network is over the budget: "):
        candidates(networks, budget=Budget(parameters=10))


def test_the_front_rises_and_its_last_is_the_best(supernet):
    found = supernet_front(supernet)
    assert len(found.scored) == found.number == 2 * 7
    scores = [each.scores["val_iou"] for each in found.front]
    assert scores == sorted(scores)
    assert [each.costs["macs"] for each in found.front] == sorted(
        each.costs["macs"] for each in found.front
    )
    assert best_of(found).scores["val_iou"] == max(s.scores["val_iou"] for s in found.scored)


def test_another_score_can_be_asked_for(supernet):
    assert supernet_front(supernet, objective="val_accuracy").objective == "val_accuracy"
    with pytest.raises(UsageError, match="--objective: unknown score 'iou'; did you mean"):
        supernet_front(supernet, objective="iou")


def test_networks_without_a_score_are_on_no_front(supernet, monkeypatch):
    found = supernet_front(supernet)
    cheapest = found.front[0]
    blank = replace(cheapest, scores={**cheapest.scores, "val_iou": nan})
    some = replace(found, scored=(blank, *(each for each in found.scored if each is not cheapest)))
    assert blank not in some.front
    assert len(some.front) >= len(found.front) - 1
    assert best_of(some) is best_of(found)
    assert f"{len(some.scored)} of" in supernet_page(some)
    monkeypatch.setattr(SubnetworkScorer, "score", lambda *_: [blank])
    with pytest.raises(UsageError, match="no sub-network has a score in val_iou; give val_iou"):
        supernet_front(supernet)


def test_the_page_says_how_far_to_trust_it(supernet):
    found = replace(supernet_front(supernet), agreement=None)
    page = supernet_page(found)
    assert f"{len(found.scored)} of {found.number} sub-networks" in page
    assert page.count(UNCHECKED) == 1
    assert "in the first table" not in page
    assert "can be trusted</h2>" not in page
    for each in found.front:
        assert each.name in page
    compared = {"val_iou": ScoreAgreement.of(range(12), [[n, n] for n in range(12)], [1] * 12)}
    checked = replace(found, agreement=Agreement("", 12, "others", compared))
    assert "<img" not in page
    picture = Path(found.run) / FIGURE
    picture.write_bytes(b"\x89PNG")
    page = supernet_page(checked)
    picture.unlink()
    assert '<img src="data:image/png;base64,' in page
    assert UNCHECKED not in page
    assert checked.agreement.line in page
    assert "in the first table" in page
    assert "τ of the number of parameters" in page


def test_of_too_many_to_list_a_budget_finds_cheap_ones():
    networks = Subnetworks.every(LARGE)
    costs = [networks.cost(each) for each in (networks.smallest, networks.largest)]
    budget = Budget(macs=round(costs[0] + 0.25 * (costs[1] - costs[0])))
    found = candidates(networks, 30, budget=budget)
    assert len(found) == 30
    assert all(each.within for grid in found for each in budget.verdict(grid))
