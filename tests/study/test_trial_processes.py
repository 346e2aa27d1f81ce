"""Candidates trained for real, each in a process of its own, and processes that are killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gridgen.errors import OutOfMemoryError, TrainingError, UsageError
from gridgen.grid import build_grid
from gridgen.study import Study, search
from gridgen.study.trial_processes import (
    TRIAL,
    ChildTraining,
    LocalEngine,
    Pruned,
    TrialJob,
    TrialOutcome,
)
from gridgen.training import Run
from study.fakes import no_training, rows, states

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="finds processes in /proc, which is Linux's"
)

PATIENCE = 120.0
TEXT = """\
data: shapes
spec: {classes: 3}
space:
  streams: [2]
  columns: [1+1, 2+2]
  base_channels: [2]
budget: {parameters: 20000}
recipe:
  epochs: 3
  batch: 500
  learning_rate: 0.01
  crop: {smallest: 8, largest: 8, size: 8}
trials: 2
"""
POINT = {"streams": 2, "columns": "1+1", "base_channels": 2}
DRIVER = """
import sys
from gridgen.study import Study, search
search(Study.load(sys.argv[1]), folder=sys.argv[2])
"""


@pytest.fixture(scope="module")
def study() -> Study:
    return Study.parse(TEXT)


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def wait_for(happened: Callable[[], object], seconds: float) -> object:
    """What `happened` answers, once that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = happened()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"nothing after {seconds} s")


def trainings_of(parent: int) -> Iterator[int]:
    """Process ids of the trainings that the process `parent` has started."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (path / "stat").read_text("utf-8"), (path / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended
        if b"gridgen.study.worker" in command and int(stat.rpartition(")")[2].split()[1]) == parent:
            yield int(path.name)


def is_gone(process: int) -> bool:
    """Whether it has ended; what waits to be collected by a parent that is none has too."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text("utf-8")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


@dataclass
class Driven:
    """A search in a process of its own, killed as soon as its first trial has a checkpoint."""

    folder: Path
    child: int


@pytest.fixture
def killed(tmp_path: Path) -> Driven:
    (tmp_path / "s.yaml").write_text(TEXT)
    folder = tmp_path / "found"
    with open(tmp_path / "log", "w") as log:
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(tmp_path / "s.yaml"), str(folder)], stderr=log
        )
    try:
        wait_for(lambda: list(folder.glob("trials/00000/checkpoints/step-*")), PATIENCE)
        (child,) = trainings_of(driver.pid)
    finally:
        driver.kill()
        driver.wait()
    return Driven(folder, child)


@pytest.mark.slow
def test_a_killed_driver_takes_its_child_along_and_loses_no_trial(killed, study):
    wait_for(lambda: is_gone(killed.child), 20)
    first = Run.open(killed.folder / "trials" / "00000")
    begun = (first.folder / "run.json").stat()
    assert 0 < len(first.rows()) < 3
    result = search(study, folder=killed.folder)
    copies = sum(row["note"].startswith("same network as") for row in rows(killed.folder))
    assert states(killed.folder) == ["complete"] * (2 + copies)
    assert len(result.entries) == 2
    assert 0 in [entry.number for entry in result.entries]
    now = (first.folder / "run.json").stat()
    assert (now.st_ino, now.st_mtime_ns) == (begun.st_ino, begun.st_mtime_ns), "trained anew"
    for entry in result.entries:
        run = Run.open(killed.folder / "trials" / f"{entry.number:05d}")
        assert [row["epoch"] for row in run.rows()] == [1, 2, 3]
        assert entry.score == run.rows()[-1]["val_iou"]
        assert run.spec == entry.spec
    assert search(study, folder=killed.folder, evaluate=no_training) == result


@pytest.mark.slow
def test_a_killed_child_is_noted_with_its_signal_and_the_search_goes_on(study, tmp_path):
    train = ChildTraining(study)

    def evaluate(grid, folder, report):
        def kill_the_first(epoch, score):
            if folder.name == "00000":
                (child,) = trainings_of(os.getpid())
                os.kill(child, signal.SIGKILL)
            return report(epoch, score)

        return train(grid, folder, kill_the_first)

    result = search(study, folder=tmp_path, trials=1, evaluate=evaluate)
    assert (len(result.entries), result.failed) == (1, 0)
    assert states(tmp_path)[0] == "pruned"  # as what does not fit in memory
    log = tmp_path / "trials" / "00000.log"
    told = f"the training's process ended with SIGKILL; memory may have run out; see {log}"
    assert rows(tmp_path)[0]["note"] == told
    assert log.is_file()


def test_a_child_ends_when_its_life_line_is_cut(study, tmp_path):
    """Whatever it is doing: nobody reads what it says here, and its training is long."""
    job = {
        "spec": study.candidate(POINT).plain(),
        "recipe": study.training.but(epochs=100_000).plain(),
        "data": study.data,
        "seed": 0,
        "device": "cpu",
        "objective": study.objective,
        "holdout": None,
        "fold": None,
        "folder": str(tmp_path / "run"),
    }
    with open(tmp_path / "said", "w") as said:
        child = subprocess.Popen(
            [sys.executable, "-m", "gridgen.study.worker"],
            stdin=subprocess.PIPE,
            stdout=said,
            text=True,
        )
    try:
        child.stdin.write(json.dumps(job) + "\n")
        child.stdin.flush()
        wait_for((tmp_path / "run" / "run.json").exists, PATIENCE)
        assert child.poll() is None
        child.stdin.close()
        assert child.wait(20) == 1
    finally:
        child.kill()
        child.wait()


@pytest.mark.slow
def test_the_pruner_ends_the_child(study, tmp_path):
    train, asked = ChildTraining(study), []

    def report(epoch, score):
        asked.append(score)
        return True

    with pytest.raises(Pruned) as caught:
        train(build_grid(study.candidate(POINT)), tmp_path / "00000", report)
    assert [caught.value.score] == asked
    assert not list(trainings_of(os.getpid()))


def test_the_childs_error_is_the_trials(study, tmp_path):
    grid = build_grid(study.candidate(POINT).but(classes=2))
    with pytest.raises(TrainingError) as caught:
        ChildTraining(study)(grid, tmp_path / "00000", lambda *_: False)
    assert str(caught.value) == "classes: 2, but the data shapes has 3; set classes: 3"
    assert not list(trainings_of(os.getpid()))


def test_the_local_engine_runs_what_is_submitted_in_order(study, tmp_path):
    grid, asked = build_grid(study.candidate(POINT)), []

    def evaluate(grid, folder, report):
        asked.append((folder.name, report(1, 0.5)))
        if folder.name == "1":
            raise OutOfMemoryError("none left")
        if folder.name == "2":
            raise Pruned(0.25)
        if folder.name == "3":
            raise ZeroDivisionError
        return 0.75

    engine = LocalEngine(evaluate)
    for number in range(4):
        engine.submit(TrialJob(number, grid, tmp_path / str(number), lambda *_: True))
    assert asked == []
    assert engine.wait() == TrialOutcome(0, 0.75)
    memory, pruned = engine.wait(), engine.wait()
    assert (memory.number, str(memory.failure)) == (1, "none left")
    assert (pruned.number, pruned.failure.score) == (2, 0.25)
    with pytest.raises(ZeroDivisionError):
        engine.wait()
    assert asked == [(str(number), True) for number in range(4)]


MINE = """\
from gridgen.grid import UNITS
from gridgen.grid.layers import Conv
from gridgen.study import Study, search


def dilated(style, channels_in, channels_out):
    return style.before(Conv(channels_in, channels_out, dilation=2))


UNITS["lateral"]["dilated"] = dilated

if __name__ == "__main__":
    print(search(Study.load("s.yaml"), folder="found", trials=1).best.units.lateral)
"""


def test_children_know_what_the_program_that_searches_has_entered(tmp_path):
    own = TEXT.replace("{classes: 3}", "{classes: 3, units: {lateral: dilated}}")
    (tmp_path / "s.yaml").write_text(own.replace("epochs: 3", "epochs: 1"))
    (tmp_path / "mine.py").write_text(MINE)
    done = subprocess.run(
        [sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.stdout, done.returncode) == ("dilated\n", 0), done.stderr


def test_a_child_begins_no_search_where_a_program_without_a_guard_asks_for_one(study, monkeypatch):
    monkeypatch.setenv(TRIAL, "1")
    with pytest.raises(UsageError) as caught:
        ChildTraining(study)
    assert str(caught.value) == (
        "processes of a search import the program that searches; "
        "begin the search under if __name__ == '__main__':"
    )
