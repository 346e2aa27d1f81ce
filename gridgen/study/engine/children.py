"""The engine of a search: trainings in processes of their own, several at once."""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import Any

from gridgen.errors import GridgenError, OutOfMemoryError, TrainingError, UsageError
from gridgen.files import read_text
from gridgen.study.engine.engine import Pruned, TrainingJob, TrainingOutcome
from gridgen.study.engine.messages import (
    TRIAL,
    Message,
    Shared,
    TrainingProcesses,
    error_of,
    log_of,
)
from gridgen.study.engine.processes import Processes, threads
from gridgen.training.processes import devices
from gridgen.training.run.folder import MetricsRow

TRIES = 3
"""How often a training is begun that signals end, before it has failed."""
MOST_LOSSES = 20
"""How often a training is begun whose machine is lost, which says nothing about the training."""
PATIENCE = 60.0
"""Seconds in which a training that is to stop saves its state."""
SILENCE = 600.0
"""Seconds without a word of a training after which a line says so."""
NO_PLACE = 60.0
"""Those of a training for which there is no place, after which a line says so again."""


@dataclass
class Running:
    """A training on its way in a process.

    `begun` is infinite while there is no place for it, `spent` what it took before its machine was
    lost.
    """

    job: TrainingJob
    heard: float
    begun: float = inf
    spent: float = 0.0
    tries: int = 1
    losses: int = 0
    curve: dict[int, float] = field(default_factory=dict)
    row: MetricsRow | None = None
    failure: Pruned | GridgenError | None = None
    killed_at: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it has been on its way, but for the time in which it had no place."""
        return self.spent + max(0.0, time.monotonic() - self.begun)

    @property
    def patience(self) -> float:
        """Seconds without a word of it after which a line says so."""
        return SILENCE if self.begun < inf else NO_PLACE

    def delay(self, seconds: float) -> None:
        """Put off all that it is waited for until, after it was held still for so long."""
        self.begun, self.heard = self.begun + seconds, self.heard + seconds
        self.killed_at += seconds if self.killed_at else 0.0


class ChildEngine:
    """Trains in child processes, `places` at once, the machine's threads divided among them; or in
    the `processes` that are given.

    Errors that every child would meet are raised when this object is made: `DeviceError` for the
    device, `UsageError` in such a child.
    """

    def __init__(
        self,
        shared: Shared,
        places: int = 1,
        told: Callable[[str], None] = lambda line: None,
        processes: TrainingProcesses | None = None,
    ) -> None:
        if TRIAL in os.environ:
            fact = "processes of a search import the program that searches"
            raise UsageError(f"{fact}; begin the search under if __name__ == '__main__':")
        if processes is None:
            devices.choose_device(shared.device)
            processes = Processes(threads(places), places)
        self.shared, self.places, self.told = shared, places, told
        self._processes = processes
        self._submitted: deque[TrainingJob] = deque()
        self._running: dict[int, Running] = {}
        self._heard: deque[Message] = deque()
        self._ended: deque[TrainingOutcome] = deque()
        self._last = 0

    def submit(self, job: TrainingJob) -> None:
        """Begin a process for the training, or keep it until a place is free."""
        self._submitted.append(job)
        self._fill()

    def wait(self) -> TrainingOutcome:
        """Listen to all trainings until one has ended."""
        while not self._ended:
            # What is heard is kept until it is dealt with: an error may come in between.
            self._heard.extend(self._processes.messages(self._seconds()))
            while self._heard:
                self._hear(self._heard.popleft())
            self._look_at_the_clock()
            self._fill()
        return self._ended.popleft()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Stop all processes, those that load images too; that time is none of theirs."""
        begun = time.monotonic()
        try:
            with self._processes.held(self._running):
                yield
        finally:
            for each in self._running.values():
                each.delay(time.monotonic() - begun)

    def close(self) -> None:
        """Have all trainings save their state and end."""
        self._submitted.clear()
        try:
            for number in self._running:
                self._ask_to_stop(number)
            until = time.monotonic() + PATIENCE
            while self._running and time.monotonic() < until:
                while self._heard:
                    message = self._heard.popleft()
                    if "code" in message.said:
                        self._running.pop(message.number, None)
                if self._running:
                    self._heard.extend(self._processes.messages(until - time.monotonic()))
        finally:
            # Also where a second Ctrl-C ends the patience.
            self._running.clear()
            self._processes.close()

    def _fill(self) -> None:
        while self._submitted and len(self._running) < self.places:
            self._begin(Running(self._submitted.popleft(), time.monotonic()))

    def _begin(self, running: Running) -> None:
        self._last += 1
        self._running[self._last] = running
        job = running.job
        self._processes.begin(self._last, self.shared.told(job), log_of(job.folder))

    def _hear(self, message: Message) -> None:
        running = self._running.get(message.number)
        if running is None:
            return
        said, running.heard = message.said, time.monotonic()
        if "begun" in said:
            running.begun = min(running.begun, running.heard)
        elif "code" in said:
            self._end(message.number, running, said)
        elif "final" in said:
            running.row = said["final"]
        elif "error" in said:
            running.failure = running.failure or error_of(running.job, said)
            # What it had trained to the end could not be brought here.
            running.row = None
        elif running.failure is None:
            self._report(message.number, running, int(said["epoch"]), float(said["score"]))

    def _report(self, number: int, running: Running, epoch: int, score: float) -> None:
        # A process that goes on tells again of what was before it.
        if epoch in running.curve:
            return
        running.curve[epoch] = score
        stop = running.job.report(epoch, score)
        # After the last there is nothing to stop.
        if stop and epoch < running.job.recipe.epochs:
            self._stop(number, running, Pruned(score))

    def _stop(self, number: int, running: Running, failure: Pruned | GridgenError) -> None:
        running.failure, running.killed_at = failure, time.monotonic() + PATIENCE
        self._ask_to_stop(number)

    def _ask_to_stop(self, number: int) -> None:
        self._processes.signal(number, signal.SIGTERM)
        # One that somebody has stopped goes on, so that it can end.
        self._processes.signal(number, signal.SIGCONT)

    def _end(self, number: int, running: Running, said: dict[str, Any]) -> None:
        """The process is over: with a row, with an error that it told, or without a word."""
        del self._running[number]
        failure = running.failure
        if "lost" in said:  # and with it what had not come from there, be it trained to the end
            running.row = None
        # One that ends just as its time is over has ended.
        if running.row is not None and not isinstance(failure, Pruned):
            failure = None
        elif failure is None:
            failure = self._cause(running, said)
            if failure is None:
                self._again(running, said)
                return
        if not isinstance(failure, Pruned | TrainingError | None):
            raise failure
        row = {} if failure is not None or running.row is None else running.row
        curve = tuple(sorted(running.curve.items()))
        self._ended.append(TrainingOutcome(running.job, row, curve, running.seconds, failure))

    def _cause(self, running: Running, said: dict[str, Any]) -> TrainingError | None:
        """Why a process ended without a word; None where it is to be tried again."""
        code, log = said["code"], log_of(running.job.folder)
        if "starved" in said:
            return OutOfMemoryError("the system ended the training's process for want of memory")
        if "lost" in said:
            running.losses += 1
            running.spent, running.begun = running.seconds, inf
            if running.losses < MOST_LOSSES:
                return None
            fact = f"what trained it was lost {MOST_LOSSES} times, at last: {said['lost']}"
            return TrainingError(f"{fact}; see {log}")
        if code in SIGNALLED or code < 0:
            running.tries += 1
            if running.tries <= TRIES:
                return None
            fact = f"the training's process was ended {TRIES} times, the last by {_named(code)}"
            return TrainingError(f"{fact}; see {log}")
        last = (read_text(log, errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        fact = f"the training's process ended with exit code {code}: {last}"
        return TrainingError(f"{fact}; see {log}")

    def _again(self, running: Running, said: dict[str, Any]) -> None:
        trial, seed = running.job.trial, running.job.seed
        fact = said.get("lost") or f"its process was ended by {_named(said['code'])}"
        self.told(f"trial {trial}, seed {seed}: {fact}; it goes on from its checkpoint")
        running.heard = time.monotonic()
        self._begin(running)

    def _seconds(self) -> float | None:
        """How long nothing but a message is of interest."""
        now, due = time.monotonic(), [SILENCE]
        for each in self._running.values():
            due.append(each.killed_at - now if each.killed_at else each.patience)
            if self.shared.timeout is not None:
                due.append(self.shared.timeout - each.seconds)
        return max(min(due), 0.05)

    def _look_at_the_clock(self) -> None:
        now, timeout = time.monotonic(), self.shared.timeout
        for number, each in [*self._running.items()]:
            if each.killed_at:
                if now > each.killed_at:
                    self._processes.signal(number, signal.SIGKILL)
                    each.killed_at = now + PATIENCE
            elif timeout is not None and each.seconds > timeout:
                fact = f"it took longer than trial_timeout, {timeout / 60:g} minutes"
                self._stop(number, each, TrainingError(fact))
            elif now - each.heard > each.patience:
                each.heard = now
                self.told(f"trial {each.job.trial}: {_silent(each)}")


SIGNALLED = (128 + signal.SIGTERM, 128 + signal.SIGINT)
"""Exit codes of a training that was asked to stop, its state saved."""


def _silent(running: Running) -> str:
    if running.begun == inf:
        return f"there has been no place for it in the cluster for {NO_PLACE:g} s; see ray status"
    return f"no validation for {SILENCE / 60:g} minutes; trial_timeout would end it"


def _named(code: int) -> str:
    number = -code if code < 0 else code - 128
    return f"{signal.Signals(number).name} ({number})"
