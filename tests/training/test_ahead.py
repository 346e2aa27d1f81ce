"""What is loaded ahead comes in order; that a process fails or dies is told where it is due."""

import os
import signal
import time
from multiprocessing import active_children

import pytest
import torch

from gridgen.errors import DataError, TrainingError
from gridgen.training.ahead import EACH, ahead

WORKERS = [0, 1, 3]


def doubled(item):
    return 2 * item


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("length", [0, 1, 2, 20])
def test_all_come_in_order(workers, length):
    assert list(ahead(doubled, range(length), workers)) == [2 * i for i in range(length)]
    assert not active_children()


@pytest.mark.parametrize("workers", WORKERS)
def test_tensors_come_whole(workers):
    tensors = ahead(lambda i: (torch.full((64, 64), i), torch.tensor(i)), range(9), workers)
    for i, (large, small) in enumerate(tensors):
        assert large.eq(i).all()
        assert small == i


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_is_told_at_its_place(workers):
    def load(item):
        if item == 3:
            raise DataError("3.png: cannot be read")
        return item

    items = ahead(load, range(9), workers)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(DataError) as caught:
        next(items)
    assert str(caught.value) == "3.png: cannot be read"
    assert not active_children()


def test_a_bug_says_where_it_was():
    with pytest.raises(ZeroDivisionError) as caught:
        next(ahead(lambda item: 1 // item, [0], 1))
    assert "test_ahead.py" in caught.value.__notes__[0]


@pytest.mark.parametrize("asleep", [0, 60])
def test_one_that_is_killed_is_told_where_its_result_is_due(asleep):
    """Whether it dies between two results or while it makes one."""

    def load(item):
        time.sleep(asleep if item >= 2 * EACH else 0)
        return item, os.getpid()

    items = ahead(load, range(20), 2)
    _, victim = next(items)
    next(items)
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(TrainingError, match="A process that loads images has ended"):
        list(items)
    assert not active_children()


def test_what_is_forgotten_early_leaves_no_process():
    items = ahead(doubled, range(100), 2)
    next(items)
    assert len(active_children()) == 2
    items.close()
    assert not active_children()


def test_no_more_is_loaded_than_asked_for(tmp_path):
    def load(item):
        (tmp_path / str(item)).touch()
        return item

    items = ahead(load, range(100), 2)
    for _ in range(5):
        next(items)
    time.sleep(0.5)
    items.close()
    assert len(list(tmp_path.iterdir())) <= 5 + 2 * EACH
