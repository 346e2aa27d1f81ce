"""Networks of a study that are best together."""

import json
import shlex

import pytest

from gridgen import evaluate, study_ensemble
from gridgen.cli.app import run
from gridgen.errors import RunError, UsageError
from gridgen.study import ensembles, search
from gridgen.training import Run, train
from study.fakes import Scores, study

RECIPE = {
    "extends": "demo",
    "epochs": 2,
    "batch": 64,
    "crop": {"smallest": 16, "largest": 16, "size": 16},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    asked = study(recipe=RECIPE, holdout="train-*7", seeds=2, trials=3)

    def training(job):
        options = {"folder": job.folder, "seed": job.seed, "holdout": asked.holdout}
        train(job.network, asked.data, job.recipe, **options)
        return Run.open(job.folder).rows()[-1]

    search(asked, folder=folder, evaluate=training)
    return folder


def test_each_network_that_is_taken_makes_the_score_better(trained):
    found = study_ensemble(trained, most=4)
    together = [each.together for each in found.members]
    assert together == sorted(set(together))
    assert found.members[0].together == max(each.alone for each in found.members)
    assert (found.among, found.column, found.unseen) == (6, "holdout_iou", True)
    assert len({each.run for each in found.members}) == len(found.members)


def test_the_score_is_that_of_evaluate_and_so_is_the_command(trained, capsys):
    found = study_ensemble(trained)
    runs = [each.run for each in found.members]
    scored = evaluate(runs, "shapes", "holdout", baseline=False)
    assert scored.network.value == pytest.approx(found.members[-1].together, abs=1e-9)
    command = shlex.split(found.command)
    assert command[:2] == ["gridgen", "evaluate"]
    assert run([*command[1:], "--json", "--no-baseline"]) == 0
    assert json.loads(capsys.readouterr().out)["mean_iou"] == pytest.approx(scored.network.value)


def test_the_command_line_prints_them(trained, capsys):
    assert run(["study", str(trained), "ensemble", "--most", "2"]) == 0
    printed = capsys.readouterr().out
    assert "together" in printed
    assert "gridgen evaluate" in printed
    assert run(["study", str(trained), "ensemble", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["members"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["ensemble", "--among", "1"], "among is 1; give 2 at least"),
        (["ensemble", "--most", "0"], "most is 0; give 2 at least"),
        (["best", "--most", "3"], "--most is an option of ensemble; leave it out"),
        (["status", "--device", "x"], "status: --device is an option of ensemble; leave it out"),
        (["ensemble", "-o", "x"], "-o is an option of"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(trained, options, told, capsys):
    assert run(["study", str(trained), *options]) == 2
    assert told in capsys.readouterr().err


def test_answers_that_do_not_fit_into_memory_are_refused(trained, monkeypatch):
    monkeypatch.setattr(ensembles, "MOST_BYTES", 1000)
    with pytest.raises(UsageError, match="give a lower --among"):
        study_ensemble(trained)


def test_without_trained_networks_there_is_no_ensemble(tmp_path):
    search(study(trials=2), folder=tmp_path, evaluate=Scores())
    with pytest.raises(RunError):
        study_ensemble(tmp_path)
