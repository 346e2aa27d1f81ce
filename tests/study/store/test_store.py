"""The store, of every kind: what is written is read, in this process and in the next."""

import os
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState

from gridgen.errors import RunError
from gridgen.study.store import Store, read_store
from gridgen.study.store.sqlite import sqlite_address
from gridgen.study.store.storages import FILES, KINDS
from gridgen.study.store.store import ENDS
from tests.study.store.samples import (
    DISTRIBUTIONS,
    begin,
    candidate,
    fill,
    long_candidate,
    opened,
    training,
)


@pytest.fixture(params=FILES)
def kind(request) -> str:
    return request.param


@pytest.fixture
def store(kind, tmp_path) -> Store:
    return opened(tmp_path, kind)


def again(store: Store) -> Store:
    """The store as the next process opens it."""
    store.close()
    return opened(store.folder)


def test_trials_of_every_state_are_read_as_they_were_written(store):
    fill(store)
    written = store.trials()
    assert {each.state for each in written} == {*ENDS, "running"}
    assert read_store(store.folder).trials() == written
    after = again(store)
    assert after.trials() == written
    assert after.reports(5) == {1: 5.1, 2: 5.2, 3: pytest.approx(5.3)}


def test_others_see_states_scores_parameters_and_costs(store):
    fill(store)
    seen = store.optuna.trials
    assert [each.state for each in seen] == [
        TrialState.COMPLETE,
        TrialState.PRUNED,
        TrialState.FAIL,
        TrialState.PRUNED,
        TrialState.COMPLETE,
        TrialState.RUNNING,
    ]
    assert seen[0].value == store.trials()[0].score == 0.625
    assert seen[0].params["topology"] == '{"keep": ["sub_1_0", "up_0_3"]}'
    assert seen[0].user_attrs["name"] == "grid 0"
    assert seen[0].user_attrs["macs"] == 10**12
    assert [each.number for each in seen if max(each.constraints.values(), default=0) > 0] == [3]
    assert store.optuna.best_trial.number == 4
    assert set(optuna.importance.get_param_importances(store.optuna)) <= set(DISTRIBUTIONS)


def test_a_trial_goes_on_in_the_next_process(store):
    begun = begin(store, 0, "confirmation", of=7, attributes={"constraints:a": -1.0})
    store.report(begun, 1, 0.5)
    store.trained(begun, training(0))
    store = again(store)
    store.report(begun, 1, 0.9)  # as a training does that goes on from its checkpoint
    store.report(begun, 2, 0.75)
    store.trained(begun, training(1))
    store.finish(begun, "finished")
    record = again(store).trial(begun)
    assert record.of == 7
    assert record.role == "confirmation"
    assert [each.seed for each in record.trainings] == [0, 1]
    assert store.optuna.trials[begun].intermediate_values == {1: 0.5, 2: 0.75}


def test_long_values_are_kept(store):
    choice = '{"keep": ' + str(long_candidate().params["topology"]["keep"]).replace("'", '"') + "}"
    distributions = {"topology": CategoricalDistribution(["unet", choice])}
    params = {"topology": choice}
    begun = store.begin(long_candidate(), "searched", distributions, params).number
    for seed in range(20):
        store.trained(begun, training(seed, epochs=200))
    store.finish(begun, "finished")
    written = store.trials()
    assert again(store).trials() == written
    assert len(written[0].trainings[19].curve) == 200


def test_an_end_that_a_kill_left_half_written_is_completed(store, monkeypatch):
    begun = begin(store, 0)
    store.trained(begun, training())
    storage = store._storage
    monkeypatch.setattr(storage, "set_trial_state_values", lambda *_: None)
    store.finish(begun, "finished")
    after = again(store)
    assert after.trial(begun).state == "finished"
    assert after.optuna.trials[begun].value == 0.5


def test_an_ended_trial_is_not_written_to(store):
    begun = begin(store, 0)
    store.finish(begun, "failed", "killed")
    with pytest.raises(RunError, match="trial 0 is failed already"):
        store.trained(begun, training())


def test_failed_trials_are_asked_for_again_until_they_are_begun(store):
    fill(store)
    assert store.again() == []
    assert [each.number for each in store.retry()] == [2]
    store = again(store)
    assert [each.candidate for each in store.again()] == [candidate(2)]
    begin(store, 2)
    assert store.again() == []
    assert store.retry() == []


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"seed": 1}, "seed is 0 there, 1 here"),
        ({"space": {"streams": [2]}}, "space.streams is [2, 3] there, [2] here"),
        ({"data": "d2"}, "holds a search with other data than this study's now; put them back"),
    ],
)
@pytest.mark.parametrize("kept", [True, False])
def test_another_study_is_refused(store, changes, fact, kept):
    if not kept:
        (store.folder / "study.yaml").unlink()
    with pytest.raises(RunError) as caught:
        opened(store.folder, **changes)
    assert fact in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_study_may_go_on_for_more_trials_and_has_its_file_again(store):
    text = (store.folder / "study.yaml").read_text("utf-8")
    (store.folder / "study.yaml").unlink()
    opened(store.folder, trials=9)
    assert (store.folder / "study.yaml").read_text("utf-8") == text.replace("4", "9")


def test_a_damaged_study_yaml_is_refused_in_a_line(store):
    (store.folder / "study.yaml").write_bytes(b"{\xff")
    with pytest.raises(RunError, match=r"study.yaml: damaged; gridgen study .* repair"):
        opened(store.folder)


def test_what_lies_in_the_folder_decides_the_kind(store, kind):
    other = next(each for each in FILES if each != kind)
    fill(store)
    assert opened(store.folder).kind is KINDS[kind]
    with pytest.raises(RunError, match="leave out --storage"):
        opened(store.folder, other)
    (store.folder / KINDS[other].file).touch()
    with pytest.raises(RunError, match=r"holds study.db and study.journal"):
        opened(store.folder)


def test_a_lost_storage_is_not_begun_anew(store, kind):
    (store.folder / "trials" / "00000").mkdir(parents=True)
    (store.folder / KINDS[kind].file).unlink()
    with pytest.raises(RunError, match=r"holds trials/, but no study.db or study.journal; gridgen"):
        opened(store.folder, kind)


def test_a_trial_with_a_folder_needs_a_record(store):
    fill(store)
    (store.folder / "trials" / "00006").mkdir(parents=True)
    with pytest.raises(RunError, match="trial 6 has a folder, but no record"):
        opened(store.folder)


def test_reading_where_there_is_nothing_is_refused(tmp_path):
    with pytest.raises(RunError, match="no study there"):
        read_store(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["q?1", "q?2", "{a}", "%2f", "a b", "#", "ü", "$x$", "a%3Fb"])
def test_every_name_of_a_folder_is_a_folder_of_its_own(tmp_path, kind, name):
    folder = tmp_path / name
    begin(opened(folder, kind), 0)
    assert len(opened(folder).trials()) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (folder / KINDS[kind].file).is_file()


def test_a_name_that_is_no_utf8_is_refused_by_sqlite():
    with pytest.raises(RunError, match="the name is not UTF-8"):
        sqlite_address(Path(os.fsdecode(b"\xff")) / "study.db")


def test_a_creation_that_was_killed_leaves_a_new_folder(store, kind):
    store.close()
    file = store.folder / KINDS[kind].file
    file.rename(store.folder / f".{file.name}.{os.getpid()}")
    assert opened(store.folder, kind).trials() == []


def test_looking_on_changes_nothing(store, kind):
    fill(store)
    store.close()
    file = store.folder / KINDS[kind].file
    before = file.read_bytes()
    read_store(store.folder)
    assert file.read_bytes() == before
    assert {path.name for path in store.folder.iterdir()} == {file.name, "study.yaml"}


class TestJournal:
    @pytest.fixture
    def journal(self, tmp_path) -> Path:
        store = opened(tmp_path, "journal")
        fill(store)
        return tmp_path / "study.journal"

    @pytest.mark.parametrize("torn", [b'{"op_code":8,"tri', b"\0" * 50, b"{"])
    def test_half_a_last_line_is_cut_off(self, journal, torn):
        whole = journal.read_bytes()
        journal.write_bytes(whole + torn)
        written = read_store(journal.parent).trials()
        assert journal.read_bytes() == whole + torn
        store = opened(journal.parent)
        assert store.trials() == written
        assert journal.read_bytes() == whole
        begin(store, 9)
        assert len(opened(journal.parent).trials()) == 7

    def test_the_lock_of_a_dead_process_does_not_hold(self, journal):
        os.symlink(journal, f"{journal}.lock")
        begin(opened(journal.parent), 9)
        assert not os.path.lexists(f"{journal}.lock")

    def test_notes_of_a_dashboard_are_let_pass(self, journal):
        store = opened(journal.parent)
        plain = optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend(str(journal))
        )
        study = optuna.load_study(study_name="gridgen", storage=plain)
        plain.set_study_system_attr(study._study_id, "dashboard:note", "hello")
        begin(store, 9)
        assert len(opened(journal.parent).trials()) == 7

    def test_a_full_disk_leaves_no_half_line(self, journal, monkeypatch):
        store = opened(journal.parent)
        whole = journal.read_bytes()

        def full(_handle):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            with pytest.raises(RunError, match="No space left on device; its trials go on"):
                begin(store, 9)
        assert journal.read_bytes() == whole
        assert begin(store, 9) == 6


KILLED = """
import os, sys
from pathlib import Path
from gridgen.study.store import Store, read_store
from tests.study.store.samples import *
store = opened(Path(sys.argv[1]), sys.argv[2])
fill(store, 3)
print(len(store.trials()), flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_killed_process_loses_nothing(tmp_path, kind):
    command = [sys.executable, "-c", KILLED, str(tmp_path), kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "3\n", done.stderr
    assert len(opened(tmp_path).trials()) == 3
