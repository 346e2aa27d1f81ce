"""`gridgen study`: how a search stands, its best network, its tables, repair and retry."""

import csv
import json

import pytest

from gridgen.emit import load_network
from gridgen.errors import TrainingError
from gridgen.study import Study, search

STUDY = """\
data: shapes
spec: {classes: 3, streams: 2, columns: 1+1}
space: {base_channels: [2, 3, 4]}
recipe: demo
baselines: []
sampler: grid
"""


@pytest.fixture
def found(tmp_path, monkeypatch):
    """A search whose first candidate failed."""
    monkeypatch.chdir(tmp_path)

    def evaluate(job):
        if job.trial == 0:
            raise TrainingError("the loss is nan")
        return job.network.base_channels / 10

    search(Study.parse(STUDY), folder="found", trials=2, evaluate=evaluate)
    return tmp_path / "found"


def test_status_tells_states_and_the_best(found, gridgen):
    code, out, err = gridgen("study", "found")
    assert (code, err) == (0, "")
    assert out.splitlines()[:2] == [
        "trials   1 failed, 2 finished",
        "best     trial 2: 0.4000  gridnet, 2 streams, 1+1 columns, F0 = 4",
    ]
    code, out, _ = gridgen("study", "found", "status", "--json")
    assert json.loads(out)["states"] == {"failed": 1, "finished": 2}


def test_best_writes_its_spec(found, gridgen):
    code, out, _ = gridgen("study", "found", "best", "-o", "mine.yaml")
    assert code == 0
    assert out.splitlines()[-1].split() == ["wrote", "mine.yaml"]
    assert "base_channels: 4\n" in (found.parent / "mine.yaml").read_text("utf-8")
    assert gridgen("study", "found", "best", "--json")[0] == 0


@pytest.mark.parametrize("name", ["study.yaml", "best.yaml", "study.db", "trials.csv"])
def test_no_spec_is_written_over_what_a_search_keeps(found, gridgen, name):
    before = (found / name).read_bytes()
    told = f"found/{name} is kept by a search; name another\n"
    assert gridgen("study", "found", "best", "-o", f"found/{name}") == (2, "", told)
    assert (found / name).read_bytes() == before
    assert gridgen("study", "found", "best", "-o", "found/mine.yaml")[0] == 0


def test_tables_are_not_written_over_those_of_another_search(found, gridgen):
    search(Study.parse(STUDY), folder="other", trials=1, evaluate=lambda _: 0.5)
    before = (found.parent / "other" / "trials.csv").read_bytes()
    told = "other/trials.csv is kept by a search; name another\n"
    assert gridgen("study", "found", "export", "-o", "other") == (2, "", told)
    assert (found.parent / "other" / "trials.csv").read_bytes() == before
    assert gridgen("study", "found", "export", "-o", "found")[0] == 0


def test_weights_are_not_written_over_a_training(found, with_run, gridgen):
    told = "run/weights.safetensors is kept by a run; name another\n"
    asked = ("study", "found", "best", "--weights", "run/weights.safetensors")
    assert gridgen(*asked) == (2, "", told)


def test_export_writes_both_tables(found, gridgen):
    assert gridgen("study", "found", "export", "-o", "tables")[0] == 0
    with open(found.parent / "tables" / "trials.csv", newline="") as file:
        assert [row["state"] for row in csv.DictReader(file)] == ["failed", "finished", "finished"]
    assert (found.parent / "tables" / "trainings.csv").is_file()
    code, out, _ = gridgen("study", "found", "export", "--json", "-o", "again")
    assert (code, [each["state"] for each in json.loads(out)]) == (0, ["failed", *2 * ["finished"]])
    for name in ("trials.csv", "trainings.csv"):
        assert (found.parent / "again" / name).read_bytes() == (
            found.parent / "tables" / name
        ).read_bytes()


def test_failed_trials_run_again(found, gridgen):
    code, out, _ = gridgen("study", "found", "retry")
    assert (code, out.splitlines()) == (
        0,
        ["trial 0       the loss is nan", "to run again  1 trials"],
    )
    seen = []
    result = search(
        Study.parse(STUDY), folder="found", trials=3, evaluate=lambda job: seen.append(job) or 0.9
    )
    assert [(job.trial, job.network.base_channels) for job in seen] == [(3, 2)]
    assert len(result.entries) == 3


def test_a_damaged_database_is_told_and_repaired(found, gridgen):
    path = found / "study.db"
    path.write_bytes(path.read_bytes().replace(b"finished", b"finishes"))
    code, out, err = gridgen("study", "found")
    assert (code, out) == (2, "")
    assert err.endswith("; gridgen study found repair salvages what is whole\n")
    code, out, _ = gridgen("study", "found", "repair")
    assert code == 0
    assert out.splitlines()[-1] == "kept   found/study.db.damaged, which was damaged"
    assert gridgen("study", "found")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["nothing"], "nothing: no study there; gridgen search STUDY -o nothing begins one"),
        (["found", "stats"], "unknown action 'stats'; did you mean 'status'?"),
        (["found", "export", "--weights", "a"], "export: --weights is an option of best"),
        (["found", "repair", "-o", "a"], "repair: -o is an option of best and export"),
        (["found", "best", "--under", "latancy=9ms"], "--under: unknown limit 'latancy'; did you"),
        (["found", "best", "--weights", "a.pt"], "a.pt: weights are written as .safetensors"),
        (
            ["found", "best", "--weights", "a.safetensors"],
            "found/trials/00002/seed-0: no run there",
        ),
    ],
)
def test_what_is_wrong_is_told_in_a_line(found, gridgen, arguments, fact):
    code, out, err = gridgen("study", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(fact)
    assert err.count("\n") == 1


def test_best_hands_over_the_trained_network(tmp_path, monkeypatch, gridgen):
    monkeypatch.chdir(tmp_path)
    import gridgen as package

    def evaluate(job):
        recipe = job.recipe.but(epochs=1)
        run = package.train(job.network, "shapes", recipe, folder=job.folder, seed=job.seed)
        return run.rows()[-1]

    search(Study.parse(STUDY), folder="found", trials=1, evaluate=evaluate)
    assert gridgen("study", "found", "best", "--weights", "best.safetensors")[0] == 0
    assert load_network("best.safetensors").grid.spec.base_channels == 2
