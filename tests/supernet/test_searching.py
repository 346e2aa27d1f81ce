"""Searches whose candidates are scored by a supernet."""

import json

import pytest

from gridgen.errors import RunError, SpecError, UsageError
from gridgen.study import Study, search
from gridgen.study.looking import study_best, study_status
from gridgen.supernet.scoring import SubnetworkScorer, score_subnetworks
from gridgen.supernet.searching import search_by_supernet
from gridgen.training import Run
from tests.supernet.conftest import RECIPE, SPEC

FIELDS = {
    "data": "shapes",
    "spec": SPEC.complete(),
    "space": {"base_channels": [2, 4], "topology": ["unet", "resnet", "gridnet"]},
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
        assert f"by the supernet {supernet.folder}: " in told


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
    monkeypatch.setattr(SubnetworkScorer, "digest", "another")
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
        (
            {"recipe": RECIPE.but(inference={"flip": True}).complete()},
            "recipe.inference: ",
        ),
        ({"objective": "holdout_iou"}, "objective: holdout_iou is no score of "),
        ({"spec": SPEC.but(columns="2+2").complete()}, "spec.columns: "),
        ({"space": {"base_channels": [3]}, "trials": 1}, "spec.base_channels: "),
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
    assert ("scores", told["screened"]) in study_status(tmp_path / "search").rows()
    page = (tmp_path / "search" / "report.html").read_text("utf-8")
    assert f'<p class="warning">Candidates were scored {told["screened"]}' in page


def test_scores_of_a_supernet_and_of_trainings_never_mix(supernet, tmp_path):
    folder = tmp_path / "search"
    search_by_supernet(study(trials=2), supernet.folder, folder=folder)
    with pytest.raises(RunError, match="holds a search with other settings"):
        search(study(), folder=folder)
    with pytest.raises(RunError, match=r"trials.csv:2: trial 0 was not trained, scored by the sup"):
        search(study(), folder=tmp_path / "other", known=folder / "trials.csv")
    search(study(trials=1), folder=tmp_path / "trained")
    with pytest.raises(RunError, match="holds a search with other settings"):
        search_by_supernet(study(), supernet.folder, folder=tmp_path / "trained")


def test_other_ways_to_confirm_are_another_search(supernet, tmp_path):
    asked = study(trials=1, confirm={"top": 1, "seeds": 1, "recipe": {"learning_rate": 0.001}})
    search_by_supernet(asked, supernet.folder, folder=tmp_path / "search")
    changed = asked.but(confirm={"top": 1, "seeds": 2, "init": "supernet"})
    with pytest.raises(RunError, match="holds a search with other settings"):
        search_by_supernet(changed, supernet.folder, folder=tmp_path / "search")


def test_what_is_confirmed_is_one_network_whatever_the_recipe_says(supernet, tmp_path):
    asked = study(recipe=RECIPE.complete(), trials=2, confirm={"top": 1, "seeds": 1})
    result = search_by_supernet(asked, supernet.folder, folder=tmp_path / "search")
    (confirmed,) = [each for each in result.records if each.role == "confirmation"]
    run = Run.open(tmp_path / "search" / confirmed.trainings[0].folder)
    assert run.recipe.supernet is None
    assert "fresh seeds" in dict(result.rows())["best"]


def test_the_best_has_weights_where_it_was_confirmed(supernet, tmp_path):
    folder, path = tmp_path / "search", tmp_path / "best.safetensors"
    search_by_supernet(study(trials=2), supernet.folder, folder=folder)
    with pytest.raises(RunError, match=r"is not trained, scored by the supernet .*; gridgen super"):
        study_best(folder, path)
    confirmed = study(trials=2, confirm={"top": 1, "seeds": 1})
    search_by_supernet(confirmed, supernet.folder, folder=folder)
    assert study_best(folder, path).role == "searched"
    assert path.is_file()


def test_other_data_is_refused(supernet, tmp_path):
    from tests.oracles.killing import write_training

    write_training(tmp_path)
    asked = study(data=str(tmp_path / "data"))
    with pytest.raises(SpecError, match="has other images than those that the supernet"):
        search_by_supernet(asked, supernet.folder, folder=tmp_path / "search")


def test_the_search_goes_on_from_its_own_file(supernet, tmp_path, monkeypatch):
    monkeypatch.chdir(supernet.folder.parent)
    search_by_supernet(study(trials=1), supernet.folder.name, folder=tmp_path / "search")
    again = tmp_path / "search" / "study.yaml"
    result = search_by_supernet(again, folder=tmp_path / "search", trials=2)
    assert len(result.entries) == 2


def test_the_baseline_is_as_wide_as_a_network_that_was_trained(supernet, tmp_path):
    asked = study(trials=1, baselines=["unet"], budget={"parameters": 100_000})
    asked = asked.but(space={"base_channels": [2, 4], "topology": ["resnet", "gridnet"]})
    result = search_by_supernet(asked, supernet.folder, folder=tmp_path / "search")
    assert result.baseline.candidate.network.base_channels == 4
