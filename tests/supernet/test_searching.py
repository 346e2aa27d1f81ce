"""Searches whose candidates are scored by a supernet."""

import json

import pytest

from gridgen.errors import SpecError, UsageError
from gridgen.study import Study, search
from gridgen.supernet.scoring import score_subnetworks
from gridgen.supernet.searching import search_by_supernet
from gridgen.training import Run
from tests.supernet.conftest import RECIPE, SPEC

FIELDS = {
    "data": "shapes",
    "spec": SPEC.complete(),
    "space": {"base_channels": [2, 3, 4], "topology": ["unet", "resnet", "gridnet"]},
    "recipe": RECIPE.but(supernet=None).complete(),
    "sampler": "random",
    "trials": 4,
    "baselines": [],
}


def study(**fields):
    return Study(**FIELDS | fields)


def test_candidates_have_the_scores_of_the_supernet(supernet, tmp_path):
    result = search_by_supernet(study(), supernet.folder, folder=tmp_path / "search")
    assert len(result.entries) == 4
    networks = [each.candidate.network for each in result.entries]
    scores = [each.scores["val_iou"] for each in score_subnetworks(supernet, networks)]
    assert [each.score for each in result.entries] == scores
    assert not list((tmp_path / "search").rglob("checkpoints"))
    page = (tmp_path / "search" / "report.html").read_text("utf-8")
    for told in (dict(result.rows())["scores"], page):
        assert "of candidates by the supernet" in told


@pytest.mark.parametrize("init", [None, "supernet"])
def test_the_best_are_trained(supernet, tmp_path, init):
    confirm = {"top": 1, "seeds": 1, "init": init, "recipe": {"learning_rate": 0.001}}
    asked = study(confirm=confirm)
    result = search_by_supernet(asked, supernet.folder, folder=tmp_path / "search")
    (confirmed,) = [each for each in result.records if each.role == "confirmation"]
    run = Run.open(tmp_path / "search" / confirmed.trainings[0].folder)
    assert confirmed.of == max(result.entries, key=lambda each: each.scores[0]).number
    assert run.recipe.learning_rate == 0.001
    assert (run.facts.init is None) == (init is None)


def test_it_goes_on_with_the_same_weights_alone(supernet, tmp_path, monkeypatch):
    folder = tmp_path / "search"
    search_by_supernet(study(), supernet.folder, folder=folder)
    result = search_by_supernet(study(), supernet.folder, folder=folder, trials=6)
    assert len(result.entries) == 6
    from gridgen.errors import RunError
    from gridgen.supernet.scoring import SubnetworkScorer

    monkeypatch.setattr(SubnetworkScorer, "weights", "another")
    with pytest.raises(RunError, match="holds a search with other supernet weights"):
        search_by_supernet(study(), supernet.folder, folder=folder, trials=8)


def test_a_candidate_that_is_no_sub_network_fails(supernet, tmp_path):
    asked = study(space={"base_channels": [4, 8]}, trials=2, sampler="grid")
    result = search_by_supernet(asked, supernet.folder, folder=tmp_path / "search")
    assert len(result.entries) == 1
    (failed,) = [each for each in result.records if each.state == "failed"]
    assert failed.reason.startswith("no sub-network of the supernet: base_channels is 8")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"seeds": 2}, "seeds: a supernet gives one score; set seeds: 1"),
        ({"pruner": "halving"}, "pruner: a supernet trains nothing to prune; set pruner: none"),
        ({"holdout": "1*"}, "holdout: 1*, but not given in "),
        ({"objective": "holdout_iou"}, "objective: holdout_iou is no score of "),
        ({"spec": SPEC.but(columns="2+2").complete()}, "spec.columns: "),
        (
            {"space": {"recipe.learning_rate": [0.1, 0.2]}},
            "space.recipe.learning_rate: recipe.learning_rate varies",
        ),
    ],
)
def test_a_study_that_does_not_fit_is_refused(supernet, tmp_path, fields, said):
    with pytest.raises(SpecError) as caught:
        search_by_supernet(study(**fields), supernet.folder, folder=tmp_path / "search")
    assert str(caught.value).startswith(said), str(caught.value)
    assert not (tmp_path / "search").exists()


def test_a_study_with_a_supernet_is_not_searched_by_training(supernet, tmp_path):
    asked = study(supernet=str(supernet.folder))
    with pytest.raises(SpecError, match="supernet: candidates are scored by a supernet; search by"):
        search(asked, folder=tmp_path / "search")
    asked = study(confirm={"init": "supernet"})
    with pytest.raises(SpecError, match=r"confirm.init: there is no supernet; give --supernet RUN"):
        search(asked, folder=tmp_path / "search")


def test_the_run_of_one_network_scores_nothing(alone, tmp_path):
    with pytest.raises(UsageError, match="is the training of one network"):
        search_by_supernet(study(), alone[0], folder=tmp_path / "search")


def test_what_scored_is_kept_for_the_report(supernet, tmp_path):
    search_by_supernet(study(trials=1), supernet.folder, folder=tmp_path / "search")
    told = json.loads((tmp_path / "search" / "end.json").read_text("utf-8"))
    assert str(supernet.folder) in told["screened"]
