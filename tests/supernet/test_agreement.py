"""How far scores without training agree with those of networks trained alone."""

import json

import pytest

from gridgen.errors import RunError, UsageError
from gridgen.supernet import agreement as module
from gridgen.supernet.agreement import (
    FILE,
    UNCHECKED,
    Agreement,
    ScoreAgreement,
    check_supernet,
    trust,
)
from gridgen.supernet.scoring import SubnetworkScorer
from gridgen.tabular import topology_benchmark
from gridgen.training import train
from tests.supernet.conftest import RECIPE, SPEC

PLAIN = RECIPE.but(supernet=None)


@pytest.fixture
def _few_are_enough(monkeypatch):
    monkeypatch.setattr(module, "FEWEST", 4)


def test_the_same_order_agrees_whole_and_loses_nothing_with_the_first():
    scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    found = ScoreAgreement.of(scores, [[2 * each] for each in scores], [100] * 6)
    assert found.tau.value == found.alike.value == 1
    assert found.seeds is None
    # The best five of six, of which the best has 1.2: their mean is 0.8.
    assert found.regret == pytest.approx(0.4)
    assert found.difference == pytest.approx(-0.35)


def test_seeds_agree_among_themselves():
    alone = [[0.1, 0.2], [0.2, 0.1], [0.3, 0.4], [0.4, 0.3], [0.5, 0.5]]
    found = ScoreAgreement.of([1, 2, 3, 4, 5], alone, [1, 10, 100, 1000, 10000])
    assert found.alike is None
    # Of ten pairs two are the other way round.
    assert found.seeds.tau.value == pytest.approx(0.6)
    assert found.seeds.deviation == pytest.approx(0.0707, abs=1e-3)


@pytest.mark.usefixtures("_few_are_enough")
def test_networks_trained_alone_are_found_and_others_left_out(supernet, alone):
    found = check_supernet(supernet, alone)
    assert found.networks == 4
    assert found.scores.keys() == {"val_iou"}
    assert found.scores["val_iou"].seeds is not None
    scorer = SubnetworkScorer(supernet)
    again = Agreement.read(supernet.folder, scorer.digest)
    assert again == found
    assert trust(again).startswith("val_iou τ ")
    assert trust(again).endswith(": 4 networks trained alone")


@pytest.mark.usefixtures("_few_are_enough")
def test_of_other_weights_nothing_is_known(supernet, alone):
    check_supernet(supernet, alone)
    assert trust(Agreement.read(supernet.folder, "0123")) == UNCHECKED


def test_too_few_tell_nothing(supernet, alone):
    with pytest.raises(UsageError, match="1 sub-networks trained alone tell nothing of an order"):
        check_supernet(supernet, alone[:2])


def test_a_folder_without_trainings_is_told(supernet, tmp_path):
    with pytest.raises(RunError, match="no finished training from random weights there"):
        check_supernet(supernet, [tmp_path])


def test_trainings_on_other_data_are_refused(supernet, alone, tmp_path):
    facts = json.loads((alone[0] / "run.json").read_text("utf-8"))
    other = tmp_path / "run"
    other.mkdir()
    for path in alone[0].iterdir():
        if path.is_file():
            (other / path.name).write_bytes(path.read_bytes())
    (other / "run.json").write_text(json.dumps(facts | {"holdout": "0*"}))
    with pytest.raises(RunError, match="with the same holdout"):
        check_supernet(supernet, [other])


def test_a_damaged_file_is_told(supernet, tmp_path):
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(RunError, match=r"agreement.json: damaged; remove it, and run"):
        Agreement.read(tmp_path, "0123")


def test_what_was_not_trained_alone_is_left_out(supernet, alone, tmp_path):
    tuned = train(SPEC, "shapes", PLAIN, folder=tmp_path / "tuned", init=supernet.weights)
    for folder in (tuned.folder, supernet.folder):
        with pytest.raises(RunError, match="no finished training from random weights there"):
            check_supernet(supernet, [folder])


def test_other_recipes_are_refused(supernet, alone, tmp_path):
    other = PLAIN.but(learning_rate=0.02)
    run = train(SPEC, "shapes", other, folder=tmp_path / "other")
    with pytest.raises(RunError, match="was trained by another recipe than"):
        check_supernet(supernet, [*alone, run.folder])


def test_the_benchmark_is_of_its_own_images(supernet):
    with pytest.raises(RunError, match="was trained on other images than the topology benchmark"):
        check_supernet(supernet, benchmark=topology_benchmark())
