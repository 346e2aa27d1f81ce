"""Engines, which run the trials of a search. The local one trains in child processes."""

import contextlib
import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import spawn
from pathlib import Path
from typing import Any, Protocol

from gridgen.errors import OutOfMemoryError, TrainingError, UsageError, ending, starved
from gridgen.grid import Grid
from gridgen.study.study import Study
from gridgen.training.processes.devices import choose_device

ReportScore = Callable[[int, float], bool]
"""Takes the epoch and score of a validation, and returns whether to stop the training there."""
Evaluate = Callable[[Grid, Path, ReportScore], float]
"""Trains a grid in a folder and returns its final score."""

PATIENCE_SECONDS = 60
TRIAL = "GRIDGEN_TRIAL"
"""Environment variable that is set in the child processes of a search."""
# What a child says of its end; all but a lack of memory is the same to the search.
ERRORS = {"error": TrainingError, "memory": OutOfMemoryError}


class Pruned(Exception):  # noqa: N818 - an answer, not an error
    """The pruner stopped the training of a candidate; `score` is the last one it reached."""

    def __init__(self, score: float) -> None:
        super().__init__(score)
        self.score = score


@dataclass(frozen=True)
class TrialJob:
    """A candidate to score: it is trained in `folder`, and each validation goes to `report`."""

    number: int
    grid: Grid
    folder: Path
    report: ReportScore


@dataclass(frozen=True)
class TrialOutcome:
    """The end of trial `number`: its score, or the failure that left it without one."""

    number: int
    score: float
    failure: Pruned | TrainingError | None = None


class Engine(Protocol):
    """Runs the trials that the driver of a search submits."""

    def submit(self, job: TrialJob) -> None:
        """Accept a trial and return at once."""

    def wait(self) -> TrialOutcome:
        """Block until a submitted trial has ended.

        Failures of a training are part of the outcome. Bugs and Ctrl-C are raised, and leave the
        trial to be run again.
        """


class LocalEngine:
    """Calls `evaluate` for one trial after another, in the process of the driver."""

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate
        self._submitted = deque[TrialJob]()

    def submit(self, job: TrialJob) -> None:
        """Put the trial behind those that were submitted before."""
        self._submitted.append(job)

    def wait(self) -> TrialOutcome:
        """Run the trial that was submitted first."""
        job = self._submitted.popleft()
        try:
            return TrialOutcome(job.number, self._evaluate(job.grid, job.folder, job.report))
        except (Pruned, TrainingError) as failure:
            return TrialOutcome(job.number, float("nan"), failure)


@dataclass(frozen=True)
class ChildTraining:
    """The default `Evaluate`: runs `gridgen.study.worker` in a child process.

    Calling it trains `grid` in `folder`, or resumes the training that is there, and returns the
    final score. The child sends a line for each validation, and `report(epoch, score)` decides
    whether to stop. Errors: `TrainingError` with the child's reason; `Pruned`. Errors that every
    child would meet are raised when this object is made: `SpecError` for data that is missing or
    does not fit, `DeviceError` for the device, `UsageError` in such a child.
    """

    study: Study
    device: str = "auto"

    def __post_init__(self) -> None:
        if TRIAL in os.environ:
            fact = "processes of a search import the program that searches"
            raise UsageError(f"{fact}; begin the search under if __name__ == '__main__':")
        choose_device(self.device)
        self.study.require_data()

    def __call__(self, grid: Grid, folder: Path, report: ReportScore) -> float:
        """Start the child, and read what it sends until it ends."""
        job = {
            "spec": grid.spec.complete(),
            "recipe": self.study.training.complete(),
            "data": self.study.data,
            "seed": self.study.seed,
            "device": self.device,
            "objective": self.study.objective,
            "holdout": self.study.holdout,
            "fold": self.study.fold,
            "folder": str(folder),
            "program": _program(),
        }
        folder.parent.mkdir(parents=True, exist_ok=True)
        with open(folder.parent / f"{folder.name}.log", "w", encoding="utf-8") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "gridgen.study.worker"],
                # The child watches this pipe: the system closes it however the driver dies, also
                # by SIGKILL, after which no handler could stop the child.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, TRIAL: "1"},
            )
            try:
                return _listen(child, job, report, Path(log.name))
            finally:
                _end(child)


def _program() -> dict[str, Any]:
    """What a child needs to import this program, as a process does that Python itself spawns."""
    needed = ("sys_path", "sys_argv", "init_main_from_name", "init_main_from_path")
    known = spawn.get_preparation_data("trial")
    return {name: known[name] for name in needed if name in known}


def _listen(
    child: "subprocess.Popen[str]", job: dict[str, Any], report: ReportScore, log: Path
) -> float:
    """Send the child its job, and read its messages until the final score."""
    assert child.stdin is not None
    assert child.stdout is not None
    # A child that died while starting has closed the pipe; its exit code says more.
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(json.dumps(job) + "\n")
        child.stdin.flush()
    for line in child.stdout:
        message = json.loads(line)
        if "error" in message:
            raise ERRORS[message["kind"]](message["error"])
        if "final" in message:
            return float(message["final"])
        if report(int(message["epoch"]), float(message["score"])):
            raise Pruned(float(message["score"]))
    code = child.wait()
    # A process that is killed when memory runs out cannot say so itself.
    kind = OutOfMemoryError if starved(code) else TrainingError
    raise kind(f"the training's process ended with {ending(code)}; see {log}")


def _end(child: "subprocess.Popen[str]") -> None:
    """Stop the child if it still runs, so that none outlives its trial."""
    child.terminate()
    try:
        child.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            # Closing writes what is still in the buffer, to a process that is gone.
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
