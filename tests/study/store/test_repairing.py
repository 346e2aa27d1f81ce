"""Repairing: what is whole stays, what run folders know is taken, the rest is told."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import gridgen
from gridgen.errors import RunError
from gridgen.study import Study, search
from gridgen.study.store import read_store, repair_study, retry_study
from gridgen.study.store.recovering import candidate_of_runs
from gridgen.study.store.storages import FILES, KINDS
from gridgen.study.trials import TrialRecord

STUDY = """\
data: shapes
spec: {classes: 3, streams: 2, columns: 1+1}
space: {base_channels: [2, 3, 4]}
recipe: demo
baselines: []
sampler: grid
"""


def trained(job) -> dict[str, float]:
    """A training, so that run folders are real ones."""
    run = gridgen.train(job.network, "shapes", job.recipe, folder=job.folder, seed=job.seed)
    return run.rows()[-1]


@pytest.fixture(scope="module", params=FILES)
def whole(request, tmp_path_factory) -> tuple[Path, list[TrialRecord]]:
    """A search of two candidates that were trained."""
    study = Study.parse(STUDY)
    # A thousand images of the size that the recipe has would take half a minute.
    few = {"batch": 250, "crop": {"smallest": 8, "largest": 16, "size": 8}}
    recipe = study.training.but(epochs=1, **few)
    folder = tmp_path_factory.mktemp(request.param) / "study"
    study = study.but(recipe=recipe.complete())
    search(study, folder=folder, trials=2, evaluate=trained, storage=request.param)
    with closing(read_store(folder)) as store:
        return folder, store.trials()


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    shutil.copytree(whole[0], tmp_path / "study")
    return tmp_path / "study"


def file_of(folder: Path) -> Path:
    return next(folder / each.file for each in KINDS.values() if (folder / each.file).exists())


def spoil(folder: Path, number: int, key: str) -> None:
    """Change what an attribute of a trial says."""
    path = file_of(folder)
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as database, database:
            change = "UPDATE trial_user_attributes SET value_json = '{}' WHERE key = ? AND trial_id"
            database.execute(f"{change} = ?", (key, number + 1))
        return
    lines = path.read_text("utf-8").splitlines(keepends=True)
    for place, line in enumerate(lines):
        told = json.loads(line)
        found = told.get("user_attrs", {}) | told.get("user_attr", {})
        if found.get(key, {}).get("trial") == number:
            lines[place] = line.replace(f'"attribute":"{key}"', '"attribute":"x"')
    path.write_text("".join(lines))


def scores(records) -> list[tuple[str, str, float | None]]:
    return [(each.candidate.key, each.state, each.score) for each in records]


def test_a_study_that_is_whole_stays_as_it_is(whole, folder):
    before = file_of(folder).read_bytes()
    told = repair_study(folder)
    assert (told.whole, told.notes, told.damaged) == (2, [], None)
    assert file_of(folder).read_bytes() == before
    (folder / "study.yaml").write_text("{")
    assert repair_study(folder).notes == ["study.yaml is written again"]
    assert Study.load(folder / "study.yaml").training.epochs == 1


@pytest.mark.parametrize("key", ["training 0", "end", "candidate"])
def test_what_is_spoiled_is_taken_from_the_run_folder(whole, folder, key):
    spoil(folder, 1, key)
    with pytest.raises(RunError, match=f"gridgen study {folder} repair"):
        read_store(folder)
    told = repair_study(folder)
    assert told.damaged is not None
    assert told.damaged.is_file()
    with closing(read_store(folder)) as store:
        found = store.trials()
    assert found[0] == whole[1][0]
    assert found[1].candidate == whole[1][1].candidate
    if key != "end":
        assert scores(found) == scores(whole[1])
        assert told.notes[0].startswith("trial 1: ")
        return
    search(Study.load(folder / "study.yaml"), folder=folder, trials=2)
    with closing(read_store(folder)) as store:
        assert scores(store.trials()) == scores(whole[1])


def test_a_lost_database_is_made_anew_from_run_folders(whole, folder):
    file_of(folder).unlink()
    told = repair_study(folder)
    assert len(told.notes) == 2
    with closing(read_store(folder)) as store:
        assert scores(store.trials()) == scores(whole[1])


@pytest.mark.parametrize("other", ["spec.yaml", "recipe.yaml"])
def test_the_run_folder_of_another_network_or_recipe_is_not_taken(whole, folder, other):
    spoil(folder, 1, "training 0")
    path = folder / "trials" / "00001" / "seed-0" / other
    text = path.read_text("utf-8")
    changed = text.replace("base_channels: 3", "base_channels: 7").replace("batch: ", "batch: 1")
    assert changed != text
    path.write_text(changed)
    assert repair_study(folder).notes == [
        "trial 1: trainings are missing; it goes on with the search"
    ]
    with closing(read_store(folder)) as store:
        assert [each.state for each in store.trials()] == ["finished", "running"]


def test_a_record_that_is_lost_keeps_its_number(whole, folder):
    spoil(folder, 0, "candidate")
    shutil.rmtree(folder / "trials" / "00000")
    assert "trial 0: its record is lost" in repair_study(folder).notes[0]
    with closing(read_store(folder)) as store:
        assert [each.number for each in store.trials()] == [1]


def test_where_nothing_tells_which_study_it_was_it_is_refused(folder):
    file_of(folder).write_bytes(b"")
    (folder / "study.yaml").unlink()
    with pytest.raises(RunError, match=r"neither its database nor study.yaml tells"):
        repair_study(folder)


def test_there_has_to_be_a_study(tmp_path):
    with pytest.raises(RunError, match="no such folder"):
        repair_study(tmp_path / "a")
    with pytest.raises(RunError, match="no study there"):
        retry_study(tmp_path)
    with pytest.raises(RunError, match="no study there"):
        repair_study(tmp_path)


def test_what_may_have_been_a_baseline_is_not_taken_for_a_candidate(folder):
    study = Study.load(folder / "study.yaml")
    digests = {}
    place = folder / "trials" / "00001"
    assert candidate_of_runs(study, 1, place, digests) is not None
    # Three networks are all that a baseline could have drawn, by its third trial.
    drawn = study.but(baselines=["random"])
    assert candidate_of_runs(drawn, 3, place, digests) is None
    assert candidate_of_runs(drawn, 0, place, digests) is not None
