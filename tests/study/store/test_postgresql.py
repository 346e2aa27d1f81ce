"""A study in PostgreSQL: one driver, restarts of the server, and what its folder says."""

import json
import threading
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gridgen import repair_study, retry_study, study_status
from gridgen.errors import RunError
from gridgen.study import search
from gridgen.study.store import postgresql, read_store
from gridgen.study.store.standing import study_trials
from study.fakes import Scores, no_training, states, study
from study.store.server import Server, needs_server

pytestmark = needs_server
WIDE = study(
    space={"streams": [2, 3, 4], "columns": ["1+1", "2+2", "3+3"], "base_channels": [2, 4, 6, 8]},
    budget={},
)


@pytest.fixture(autouse=True)
def _no_page(monkeypatch):
    monkeypatch.setattr("gridgen.study.driver.writing.write_page", lambda result: None)


@pytest.fixture(scope="module")
def server():
    # Not in pytest's folder, which only its owner may enter.
    with TemporaryDirectory(prefix="gridgen-postgresql-") as folder:
        made = Server(Path(folder))
        made.start()
        yield made
        made.stop()


def test_a_search_is_kept_and_goes_on(server, tmp_path):
    search(WIDE, folder=tmp_path, trials=3, evaluate=Scores(), storage=server.address)
    assert states(tmp_path) == ["finished"] * 3
    assert not (tmp_path / "study.db").exists()
    search(WIDE, folder=tmp_path, trials=3, evaluate=no_training)
    search(WIDE, folder=tmp_path, trials=5, evaluate=Scores(), storage=server.address)
    assert [each.number for each in study_trials(tmp_path)] == [0, 1, 2, 3, 4]
    assert study_status(tmp_path).states == {"finished": 5}
    assert retry_study(tmp_path) == []
    with closing(read_store(tmp_path)) as store:
        assert len(store.optuna.trials) == 5


def test_studies_in_one_database_do_not_mix(server, tmp_path):
    folders = [tmp_path / name for name in ("one", "two")]
    for trials in (2, 4):
        for folder in folders:
            search(WIDE, folder=folder, trials=trials, evaluate=Scores(), storage=server.address)
    first, second = map(study_trials, folders)
    assert first == second
    assert len(first) == 4
    places = [json.loads((each / "study.postgresql").read_text("utf-8")) for each in folders]
    assert len({each["study"] for each in places}) == 2


def test_the_same_trials_as_in_a_file(server, tmp_path):
    search(WIDE, folder=tmp_path / "server", trials=6, evaluate=Scores(), storage=server.address)
    search(WIDE, folder=tmp_path / "file", trials=6, evaluate=Scores())
    assert study_trials(tmp_path / "server") == study_trials(tmp_path / "file")


def test_a_second_driver_is_refused_wherever_it_runs(server, tmp_path):
    search(WIDE, folder=tmp_path / "here", trials=1, evaluate=Scores(), storage=server.address)
    # Another machine has a copy of the folder, and sees no lock in it.
    there = tmp_path / "there"
    there.mkdir()
    for name in ("study.postgresql", "study.yaml"):
        (there / name).write_bytes((tmp_path / "here" / name).read_bytes())
    refused = []

    def second(job):
        with pytest.raises(RunError, match="another process is searching there") as caught:
            search(WIDE, folder=there, trials=3, evaluate=no_training)
        refused.append(str(caught.value))
        with pytest.raises(RunError, match="another process is searching there"):
            retry_study(there)
        return 0.5

    search(WIDE, folder=tmp_path / "here", trials=2, evaluate=second)
    assert len(refused) == 1
    assert "\n" not in refused[0]
    # The lock is given back.
    search(WIDE, folder=there, trials=3, evaluate=Scores())


@pytest.mark.parametrize("kill", [False, True], ids=["restarted", "killed"])
def test_a_server_that_goes_and_comes_back_loses_nothing(kill, server, tmp_path, recwarn):
    restarts = []

    def restart():
        for number in range(5):
            time.sleep(0.4)
            server.stop(kill)
            time.sleep(0.2)
            server.start()
            restarts.append(number)

    thread = threading.Thread(target=restart)

    def slow(job):
        for epoch in range(1, 6):
            time.sleep(0.04)
            job.report(epoch, 0.1 * epoch)
        return Scores()(job)

    thread.start()
    try:
        search(WIDE, folder=tmp_path, trials=36, evaluate=slow, storage=server.address)
    finally:
        thread.join()
    assert restarts
    records = study_trials(tmp_path)
    assert [each.number for each in records] == list(range(36))
    assert {each.state for each in records} == {"finished"}
    assert len({each.candidate.key for each in records}) == 36
    search(WIDE, folder=tmp_path, trials=36, evaluate=no_training)


def test_a_write_whose_answer_was_lost_is_not_done_twice(server, tmp_path, monkeypatch):
    from sqlalchemy.exc import OperationalError

    lost = {"create_new_trial": 2, "set_trial_state_values": 2, "set_trial_user_attr": 2}
    monkeypatch.setattr(postgresql, "PAUSE", 0.0)

    class Forgetful(postgresql.RDBStorage):
        """What is asked of it is done, and then the connection is gone."""

    def forgetting(name):
        written = getattr(postgresql.RDBStorage, name)

        def forget(self, *args, **kwargs):
            answer = written(self, *args, **kwargs)
            if lost[name]:
                lost[name] -= 1
                raise OperationalError("", {}, Exception("server closed the connection"))
            return answer

        return forget

    for name in lost:
        monkeypatch.setattr(postgresql.RDBStorage, name, forgetting(name))
    with pytest.warns(UserWarning, match="does not answer; waiting"):
        search(WIDE, folder=tmp_path, trials=4, evaluate=Scores(), storage=server.address)
    assert not any(lost.values())
    assert [each.number for each in study_trials(tmp_path)] == [0, 1, 2, 3]


def test_what_was_changed_in_the_database_is_noticed_and_repaired(server, tmp_path):
    search(WIDE, folder=tmp_path, trials=3, evaluate=Scores(), storage=server.address)
    name = postgresql.place_of(tmp_path / "study.postgresql").study
    server.ask(
        "UPDATE trial_user_attributes SET value_json = '{}' WHERE key = 'candidate' AND trial_id = "
        "(SELECT max(trial_id) FROM trials JOIN studies USING (study_id) "
        f"WHERE study_name = '{name}')"
    )
    with pytest.raises(RunError, match="damaged: trial 2"):
        study_trials(tmp_path)
    assert repair_study(tmp_path).whole == 2
    assert [each.number for each in study_trials(tmp_path)] == [0, 1]
    search(WIDE, folder=tmp_path, trials=3, evaluate=Scores())


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://a:secret@127.0.0.1/x", "holds a password"),
        ("postgresql://gridgen@127.0.0.1", "names no database"),
        ("postgresql://gridgen@127.0.0.1:1/x", "start the server, or make the database"),
        ("postgresql://a@b:port/c", "is no address"),
        ("mysql://a@b/c", "did you mean"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_line_and_nothing_is_left(address, told, tmp_path):
    with pytest.raises(RunError) as caught:
        search(WIDE, folder=tmp_path / "out", trials=1, evaluate=no_training, storage=address)
    assert told in str(caught.value) or "unknown storage" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    left = [path.name for path in (tmp_path / "out").glob("*")]
    # What no server answers to is known when the folder is locked.
    assert left == ([".lock"] if "127.0.0.1:1/" in address else [])


def test_another_address_than_the_folders_is_refused(server, tmp_path):
    search(WIDE, folder=tmp_path, trials=1, evaluate=Scores(), storage=server.address)
    other = server.address.replace("/postgres", "/template1")
    with pytest.raises(RunError, match="leave out --storage"):
        search(WIDE, folder=tmp_path, trials=2, evaluate=no_training, storage=other)
    with pytest.raises(RunError, match="leave out --storage"):
        search(WIDE, folder=tmp_path, trials=2, evaluate=no_training, storage="sqlite")


def test_a_pointer_that_says_nothing_is_damaged(server, tmp_path):
    search(WIDE, folder=tmp_path, trials=1, evaluate=Scores(), storage=server.address)
    (tmp_path / "study.postgresql").write_text("{}", "utf-8")
    with pytest.raises(RunError, match="damaged: it does not say where"):
        study_trials(tmp_path)
