"""Trainings in child processes that are killed, stopped, starved and asked to end."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gridgen.errors import OutOfMemoryError, RunError, TrainingError, UsageError
from gridgen.study.engine import children, processes
from gridgen.study.engine.children import ChildEngine
from gridgen.study.engine.messages import TRIAL, Shared
from gridgen.training import Run, train
from gridgen.training.run.locks import lock
from study.engine.processes import children_of, descendants, is_gone, on_linux, state_of, wait_for
from study.engine.tiny import RECIPE, SPEC, job

pytestmark = on_linux
SHARED = {"data": "shapes", "objective": "val_iou", "device": "cpu"}
LONG = 100_000
# For programs that import what is beside this file.
HERE = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parents[2])])}


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def engine(told):
    with closing(ChildEngine(Shared(**SHARED), places=2, told=told.append)) as made:
        yield made
    assert not descendants(os.getpid())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Rows of the training that others must equal, bit for bit."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    return train(SPEC, "shapes", RECIPE, folder=folder, device="cpu").rows()


def server() -> int:
    (found,) = children_of(os.getpid())
    return found


def trainings() -> list[int]:
    return [each for found in children_of(os.getpid()) for each in children_of(found)]


def kill_trainings(times: int) -> threading.Thread:
    """Kill one training after another as soon as it has begun."""

    def kill() -> None:
        for _ in range(times):
            (one,) = wait_for(trainings)
            os.kill(one, signal.SIGKILL)
            wait_for(lambda one=one: is_gone(one))

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@pytest.mark.slow
def test_a_killed_training_goes_on_from_its_checkpoint(engine, told, undisturbed, tmp_path):
    reported = []

    def report(epoch, score):
        reported.append(epoch)
        if epoch == 1:
            os.kill(trainings()[0], signal.SIGKILL)
        return False

    engine.submit(asked := job(tmp_path, report=report))
    outcome = engine.wait()
    assert outcome.failure is None
    assert outcome.row == undisturbed[-1]
    assert reported == [1, 2]
    assert [epoch for epoch, _ in outcome.curve] == [1, 2]
    assert told == [
        "trial 0, seed 0: its process was ended by SIGKILL (9); it goes on from its checkpoint"
    ]
    assert Run.open(asked.folder).rows() == undisturbed


@pytest.mark.slow
def test_a_third_signal_makes_it_a_failure_with_the_signals_name(engine, told, tmp_path):
    killer = kill_trainings(children.TRIES)
    engine.submit(asked := job(tmp_path, epochs=LONG))
    outcome = engine.wait()
    killer.join()
    log = asked.folder.parent / "seed-0.log"
    assert type(outcome.failure) is TrainingError
    assert str(outcome.failure) == (
        f"the training's process was ended 3 times, the last by SIGKILL (9); see {log}"
    )
    assert len(told) == 2


@pytest.mark.slow
def test_memory_is_blamed_where_the_kernel_has_counted_a_kill(engine, monkeypatch, tmp_path):
    counted = [0]
    monkeypatch.setattr(processes, "out_of_memory_kills", lambda: counted[0])
    engine.submit(job(tmp_path, 0, epochs=LONG))
    engine.submit(job(tmp_path, 1, epochs=LONG))
    one, other = wait_for(lambda: len(trainings()) == 2 and trainings())
    counted[0] = 1
    os.kill(one, signal.SIGKILL)
    outcome = engine.wait()
    assert type(outcome.failure) is OutOfMemoryError
    # The one kill is accounted for: the other training was killed by somebody else.
    os.kill(other, signal.SIGKILL)
    wait_for(lambda: is_gone(other))
    killer = kill_trainings(children.TRIES - 1)
    outcome = engine.wait()
    killer.join()
    assert type(outcome.failure) is TrainingError


@pytest.mark.slow
def test_a_folder_that_another_process_holds_ends_the_search(engine, undisturbed, tmp_path):
    asked = job(tmp_path)
    train(SPEC, "shapes", RECIPE.but(epochs=1), folder=asked.folder, device="cpu")
    with lock(asked.folder / ".lock", "not free"):
        engine.submit(asked)
        with pytest.raises(RunError) as caught:
            engine.wait()
    busy = f"{asked.folder}: another process is training this run"
    assert str(caught.value) == f"trial 0, seed 0: {busy}"
    # That was begun with fewer epochs, which is another training.
    engine.submit(asked)
    assert engine.wait().row == undisturbed[-1]


def test_a_complete_training_gives_its_row(engine, undisturbed, tmp_path):
    asked = job(tmp_path)
    train(SPEC, "shapes", RECIPE, folder=asked.folder, device="cpu")
    weights = (asked.folder / "weights.safetensors").stat()
    engine.submit(asked)
    outcome = engine.wait()
    assert (outcome.row, outcome.failure) == (undisturbed[-1], None)
    assert [epoch for epoch, _ in outcome.curve] == [1, 2]
    now = (asked.folder / "weights.safetensors").stat()
    assert (now.st_ino, now.st_mtime_ns) == (weights.st_ino, weights.st_mtime_ns)


def test_a_score_that_only_the_checkpoint_holds_is_reported(engine, undisturbed, tmp_path):
    asked = job(tmp_path)
    engine.submit(asked)
    engine.wait()
    run = Run.open(asked.folder)
    # As if it had been killed just before it added the last row to metrics.csv.
    run.write_rows(undisturbed[:1])
    run.weights.unlink()
    reported = []
    engine.submit(job(tmp_path, report=lambda epoch, score: reported.append(epoch)))
    outcome = engine.wait()
    assert outcome.row == undisturbed[-1]
    assert reported == [1, 2]


def test_time_that_is_over_ends_a_training(tmp_path):
    shared = Shared(**SHARED, timeout=1.5)
    with closing(ChildEngine(shared, places=1)) as engine:
        engine.submit(job(tmp_path, epochs=LONG))
        outcome = engine.wait()
    assert type(outcome.failure) is TrainingError
    assert str(outcome.failure) == "it took longer than trial_timeout, 0.025 minutes"
    assert outcome.row == {}


def test_silence_is_told_and_a_stopped_child_ends_with_the_engine(monkeypatch, tmp_path):
    told = []

    class HeardEnoughError(Exception):
        pass

    def tell(line):
        told.append(line)
        raise HeardEnoughError

    monkeypatch.setattr(children, "SILENCE", 0.3)
    with closing(ChildEngine(Shared(**SHARED), places=1, told=tell)) as engine:
        engine.submit(job(tmp_path, epochs=LONG))
        (one,) = wait_for(trainings)
        os.kill(one, signal.SIGSTOP)
        with pytest.raises(HeardEnoughError):
            engine.wait()
        assert "trial 0" in told[0]
    assert is_gone(one)


@pytest.mark.slow
def test_closing_has_trainings_saved_and_they_go_on_later(undisturbed, tmp_path):
    def interrupt(epoch, score):
        raise KeyboardInterrupt

    with closing(ChildEngine(Shared(**SHARED), places=2)) as engine:
        for trial in (0, 1):
            engine.submit(job(tmp_path, trial, report=interrupt))
        with pytest.raises(KeyboardInterrupt):
            engine.wait()
    assert not descendants(os.getpid())
    begun = (tmp_path / "00000" / "seed-0" / "run.json").stat()
    with closing(ChildEngine(Shared(**SHARED), places=1)) as engine:
        engine.submit(job(tmp_path, 0))
        assert engine.wait().row == undisturbed[-1]
    now = (tmp_path / "00000" / "seed-0" / "run.json").stat()
    assert (now.st_ino, now.st_mtime_ns) == (begun.st_ino, begun.st_mtime_ns), "trained anew"


@pytest.mark.slow
def test_a_killed_server_is_begun_again(engine, told, undisturbed, tmp_path):
    def report(epoch, score):
        if epoch == 1:
            os.kill(server(), signal.SIGKILL)
        return False

    engine.submit(job(tmp_path, report=report))
    assert engine.wait().row == undisturbed[-1]
    assert len(told) == 1


def test_no_more_are_trained_at_once_than_there_are_places(tmp_path):
    with closing(ChildEngine(Shared(**SHARED), places=1)) as engine:
        for trial in (0, 1):
            engine.submit(job(tmp_path, trial, epochs=LONG))
        (one,) = wait_for(trainings)
        wait_for((tmp_path / "00000" / "seed-0" / "run.json").exists)
        assert trainings() == [one]
        assert not (tmp_path / "00001").exists()


DRIVER = """
import sys
from pathlib import Path
from gridgen.study.engine.children import ChildEngine
from gridgen.study.engine.messages import Shared
from study.engine.tiny import job

engine = ChildEngine(Shared(data="shapes", objective="val_iou", device="cpu"), places=2)
for trial in (0, 1):
    engine.submit(job(Path(sys.argv[1]), trial, epochs=100_000))
engine.wait()
"""


@pytest.mark.slow
@pytest.mark.parametrize("stopped", ["nothing", "trainings", "server"])
def test_trainings_die_with_the_driver(stopped, tmp_path):
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(tmp_path)], env=HERE)
    try:
        for trial in (0, 1):
            wait_for((tmp_path / f"{trial:05d}" / "seed-0" / "run.json").exists)
        (found,) = children_of(driver.pid)
        started = children_of(found)
        assert len(started) == 2
        for each in {"nothing": [], "trainings": started, "server": [found]}[stopped]:
            os.kill(each, signal.SIGSTOP)
    finally:
        driver.kill()
        driver.wait()
    try:
        wait_for(lambda: all(map(is_gone, started)), 20)
    finally:
        os.kill(found, signal.SIGCONT)
    wait_for(lambda: is_gone(found), 20)


MINE = """
import sys
from pathlib import Path
from gridgen.grid import UNITS
from gridgen.grid.layers import Conv
from gridgen.study.engine.children import ChildEngine
from gridgen.study.engine.messages import Shared
from study.engine.tiny import SPEC, job


def dilated(style, channels_in, channels_out):
    return style.before(Conv(channels_in, channels_out, dilation=2))


UNITS["lateral"]["dilated"] = dilated

if __name__ == "__main__":
    engine = ChildEngine(Shared(data="shapes", objective="val_iou", device="cpu"), places=1)
    network = SPEC.but(units={"lateral": "dilated"})
    engine.submit(job(Path("found"), network=network, epochs=1))
    print(engine.wait().failure)
    engine.close()
"""


def test_children_know_what_the_program_that_searches_has_entered(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    done = subprocess.run(
        [sys.executable, "mine.py"],
        cwd=tmp_path,
        env=HERE,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.stdout, done.returncode) == ("None\n", 0), done.stderr


def test_a_child_begins_no_search_where_a_program_without_a_guard_asks_for_one(monkeypatch):
    monkeypatch.setenv(TRIAL, "1")
    with pytest.raises(UsageError) as caught:
        ChildEngine(Shared(**SHARED))
    assert str(caught.value) == (
        "processes of a search import the program that searches; "
        "begin the search under if __name__ == '__main__':"
    )


def test_the_server_touches_no_graphics_card_before_it_forks():
    code = """
import importlib, torch
from gridgen.study.engine.fork_server import PRELOADED
for name in PRELOADED:
    importlib.import_module(name)
print(torch.cuda.is_initialized())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_what_runs_is_held_still_and_goes_on_after(tmp_path, engine, undisturbed):
    engine.submit(job(tmp_path))
    (process,) = wait_for(trainings)
    with engine.quiet():
        wait_for(lambda: {state_of(each) for each in (process, *descendants(process))} <= {"T"})
    assert engine.wait().row == undisturbed[-1]
