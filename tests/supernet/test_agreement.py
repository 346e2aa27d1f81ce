"""How far scores without training agree with those of networks trained alone."""

import json

import pytest

from gridgen.errors import RunError, UsageError
from gridgen.supernet.agreement import (
    FILE,
    UNCHECKED,
    Agreement,
    ScoreAgreement,
    check_supernet,
    trust,
)
from gridgen.supernet.scoring import SubnetworkScorer


def test_the_same_order_agrees_whole_and_loses_nothing_with_the_first():
    scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    found = ScoreAgreement.of(scores, [[2 * each] for each in scores], [100] * 6)
    assert found.tau.value == found.alike.value == 1
    assert found.seeds is None
    # The best five of six, of which the best has 1.2: their mean is 0.8.
    assert found.regret == pytest.approx(0.4)


def test_seeds_agree_among_themselves():
    alone = [[0.1, 0.2], [0.2, 0.1], [0.3, 0.4], [0.4, 0.3], [0.5, 0.5]]
    found = ScoreAgreement.of([1, 2, 3, 4, 5], alone, [1, 10, 100, 1000, 10000])
    # Of ten pairs two are the other way round.
    assert found.seeds.tau.value == pytest.approx(0.6)
    assert found.seeds.deviation == pytest.approx(0.0707, abs=1e-3)


def test_networks_trained_alone_are_found_and_others_left_out(supernet, alone):
    found = check_supernet(supernet, alone)
    assert found.networks == 5
    assert found.scores.keys() == {"val_iou"}
    assert found.scores["val_iou"].seeds is not None
    scorer = SubnetworkScorer(supernet)
    again = Agreement.read(supernet.folder, scorer.weights)
    assert again == found
    assert trust(again).startswith("val_iou τ ")
    assert trust(again).endswith(": 5 networks trained alone")


def test_of_other_weights_nothing_is_known(supernet, alone):
    check_supernet(supernet, alone)
    assert trust(Agreement.read(supernet.folder, "0123")) == UNCHECKED


def test_too_few_tell_nothing(supernet, alone):
    with pytest.raises(UsageError, match="1 sub-networks trained alone tell nothing of an order"):
        check_supernet(supernet, alone[:2])


def test_a_folder_without_trainings_is_told(supernet, tmp_path):
    with pytest.raises(RunError, match="no finished training there; name the folder of a finished"):
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
    with pytest.raises(RunError, match=r"agreement.json: missing or damaged; remove it, and run"):
        Agreement.read(tmp_path, "0123")
