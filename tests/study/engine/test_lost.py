"""Trainings whose machine is lost, told by processes that there are not."""

import time
from contextlib import contextmanager

from gridgen.errors import TrainingError
from gridgen.study.engine import children
from gridgen.study.engine.children import ChildEngine
from gridgen.study.engine.messages import Message, Shared
from study.engine.tiny import job

LOST = {"code": -9, "lost": "the machine n1 was lost"}
ROW = {"epoch": 2.0, "val_iou": 0.5}


class Scripted:
    """Says of each training that is begun what is written for it; None waits for 0.1 s."""

    def __init__(self, *scripts):
        self.scripts, self.begun, self.said = list(scripts), [], []

    def begin(self, number, job, log):
        self.begun.append(number)
        self.said += [(number, each) for each in self.scripts.pop(0)]

    def messages(self, seconds=None):
        if not self.said:
            time.sleep(0.05)
            return []
        number, said = self.said.pop(0)
        if said is None:
            time.sleep(0.1)
            return []
        return [Message(number, said)]

    def signal(self, number, which):
        self.said.append((number, {"code": -which}))

    @contextmanager
    def held(self, numbers):
        yield

    def close(self):
        pass


def engine(processes, told=None, timeout=None):
    shared = Shared(data="shapes", objective="val_iou", device="cpu", timeout=timeout)
    told = [] if told is None else told
    return ChildEngine(shared, 1, told.append, processes)


def test_a_row_whose_machine_was_lost_before_its_folder_came_is_trained_again(tmp_path):
    whole = [{"begun": True}, {"final": ROW}, {"code": 0}]
    processes, told = Scripted([{"begun": True}, {"final": ROW}, LOST], whole), []
    made = engine(processes, told)
    made.submit(job(tmp_path))
    assert made.wait().row == ROW
    assert processes.begun == [1, 2]
    line = "trial 0, seed 0: the machine n1 was lost; it goes on from its checkpoint"
    assert told == [line]


def test_to_wait_for_a_place_is_no_part_of_the_time_that_a_training_may_take(tmp_path):
    waits = [*[None] * 8, {"begun": True}, {"final": ROW}, {"code": 0}]
    made = engine(Scripted([*[None] * 4, {"begun": True}, LOST], waits), timeout=0.3)
    made.submit(job(tmp_path))
    outcome = made.wait()
    assert outcome.failure is None
    assert outcome.seconds < 0.3


def test_the_time_before_a_loss_counts(tmp_path):
    part = [{"begun": True}, None, None, LOST]
    made = engine(Scripted(part, part, part, part), timeout=0.5)
    made.submit(job(tmp_path))
    assert str(made.wait().failure).startswith("it took longer than trial_timeout")


def test_a_training_that_is_lost_again_and_again_fails_at_last(tmp_path, monkeypatch):
    monkeypatch.setattr(children, "MOST_LOSSES", 3)
    made = engine(Scripted(*[[{"begun": True}, LOST]] * 3))
    made.submit(job(tmp_path))
    failure = made.wait().failure
    assert type(failure) is TrainingError
    assert "was lost 3 times, at last: the machine n1 was lost" in str(failure)


def test_silence_of_one_that_has_no_place_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setattr(children, "NO_PLACE", 0.2)
    told = []
    made = engine(Scripted([*[None] * 4, {"begun": True}, {"final": ROW}, {"code": 0}]), told)
    made.submit(job(tmp_path))
    made.wait()
    assert "there has been no place for it in the cluster" in told[0]
