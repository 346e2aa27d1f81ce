"""What is loaded ahead comes in order; that a process fails or dies is told where it is due."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import pytest
import torch

from gridgen.errors import DataError, TrainingError
from gridgen.training.processes.prefetch import EACH, prefetch

WORKERS = [0, 1, 3]


def doubled(item):
    return 2 * item


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("length", [0, 1, 2, 20])
def test_all_come_in_order(workers, length):
    assert list(prefetch(doubled, range(length), workers)) == [2 * i for i in range(length)]
    assert not active_children()


@pytest.mark.parametrize("workers", WORKERS)
def test_tensors_come_whole(workers):
    tensors = prefetch(lambda i: (torch.full((64, 64), i), torch.tensor(i)), range(9), workers)
    for i, (large, small) in enumerate(tensors):
        assert large.eq(i).all()
        assert small == i


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_is_told_at_its_place(workers):
    def load(item):
        if item == 3:
            raise DataError("3.png: cannot be read")
        return item

    items = prefetch(load, range(9), workers)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(DataError) as caught:
        next(items)
    assert str(caught.value) == "3.png: cannot be read"
    assert not active_children()


def test_a_bug_says_where_it_was():
    with pytest.raises(ZeroDivisionError) as caught:
        next(prefetch(lambda item: 1 // item, [0], 1))
    assert "test_prefetch.py" in caught.value.__notes__[0]


@pytest.mark.parametrize("asleep", [0, 60])
def test_one_that_is_killed_is_told_where_its_result_is_due(asleep):
    """Whether it dies between two results or while it makes one."""

    def load(item):
        time.sleep(asleep if item >= 2 * EACH else 0)
        return item, os.getpid()

    items = prefetch(load, range(20), 2)
    _, victim = next(items)
    next(items)
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(TrainingError, match="A process that loads images ended with SIGKILL; mem"):
        list(items)
    assert not active_children()


class Unfit(Exception):  # noqa: N818
    """An error that no pipe can carry: it does not come out as it went in."""

    def __init__(self, first, second):
        super().__init__(first)


@pytest.mark.parametrize("error", [Unfit("a", "b"), ValueError(lambda: 0)])
def test_an_error_that_does_not_pickle_is_told_all_the_same(error):
    def load(item):
        raise error

    with pytest.raises(RuntimeError, match=f"^{type(error).__name__}: ") as caught:
        next(prefetch(load, [0], 1))
    assert "raise error" in caught.value.__notes__[0]


def test_one_that_leaves_by_itself_is_told_with_its_exit_code():
    with pytest.raises(TrainingError, match=r"images ended with exit code 7\."):
        next(prefetch(lambda _: os._exit(7), [0], 1))


def test_processes_that_begin_afresh_load_the_same(monkeypatch):
    monkeypatch.setattr("gridgen.training.processes.prefetch.METHOD", "spawn")
    assert list(prefetch(abs, [-1, -2, -3], 1)) == [1, 2, 3]


PROGRAM = """
import os, signal, time
from gridgen.training.processes import prefetch

def unwatched(): pass

def load(item):
    time.sleep(0.01)
    return item

prefetch.leave_signals_to_the_parent = {leave}
{act}
"""
KILLED = """
items = prefetch.prefetch(load, range(1000), 4)
next(items)
print(*(process.pid for process in prefetch.multiprocessing.active_children()), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
FORGOTTEN = """
worker = prefetch.LoadingProcess(load)
raise KeyboardInterrupt
"""


def program(act, leave):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(act=act, leave=leave)],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_none_outlives_a_parent_that_is_killed():
    """Not even where the system does not see to it."""
    done = program(KILLED, "unwatched")
    children = [int(pid) for pid in done.stdout.split()]
    assert len(children) == 4
    until = time.monotonic() + 20
    while time.monotonic() < until and any(map(alive, children)):
        time.sleep(0.05)
    assert not any(map(alive, children))


def alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_program_that_is_interrupted_does_not_wait_for_its_workers():
    done = program(FORGOTTEN, "prefetch.leave_signals_to_the_parent")
    assert "KeyboardInterrupt" in done.stderr


def test_what_is_forgotten_early_leaves_no_process():
    items = prefetch(doubled, range(100), 2)
    next(items)
    assert len(active_children()) == 2
    items.close()
    assert not active_children()


def test_no_more_is_loaded_than_asked_for(tmp_path):
    def load(item):
        (tmp_path / str(item)).touch()
        return item

    items = prefetch(load, range(100), 2)
    for _ in range(5):
        next(items)
    time.sleep(0.5)
    items.close()
    assert len(list(tmp_path.iterdir())) <= 5 + 2 * EACH
