"""Training a candidate in a process of its own, which dies with the one that asked."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any

from gridgen.errors import OutOfMemoryError, TrainingError, ending
from gridgen.grid import Grid
from gridgen.study.study import Study
from gridgen.training.processes.devices import choose_device

ReportScore = Callable[[int, float], bool]
Evaluate = Callable[[Grid, Path, ReportScore], float]

PATIENCE_SECONDS = 60
# What a child says of its end; all but a lack of memory is the same to the search.
ERRORS = {"error": TrainingError, "memory": OutOfMemoryError}


class Pruned(Exception):  # noqa: N818 - an answer, not an error
    """The pruner gave the candidate up; `score` is the last one it reached."""

    def __init__(self, score: float) -> None:
        super().__init__(score)
        self.score = score


@dataclass(frozen=True)
class ChildTraining:
    """The default `Evaluate`: `gridgen.study.worker` in a child process, one line per validation.

    Calling it trains `grid` in `folder`, or goes on with what is there, and gives the final
    score. `report(epoch, score)` is asked at each validation whether to give up. Errors:
    `TrainingError` with the child's reason; `Pruned`. What every child would die of is said
    when this is made: `SpecError` for data that is missing or unfit, `DeviceError` for the device.
    """

    study: Study
    device: str = "auto"

    def __post_init__(self) -> None:
        choose_device(self.device)
        self.study.require_data()

    def __call__(self, grid: Grid, folder: Path, report: ReportScore) -> float:
        """Train, and hear of it line by line."""
        job = {
            "spec": grid.spec.complete(),
            "recipe": self.study.training.complete(),
            "data": self.study.data,
            "seed": self.study.seed,
            "device": self.device,
            "objective": self.study.objective,
            "holdout": self.study.holdout,
            "folder": str(folder),
        }
        folder.parent.mkdir(parents=True, exist_ok=True)
        with open(folder.parent / f"{folder.name}.log", "w") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "gridgen.study.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            try:
                return _listen(child, job, report, Path(log.name))
            finally:
                _end(child)


def _listen(
    child: "subprocess.Popen[str]", job: dict[str, Any], report: ReportScore, log: Path
) -> float:
    """Give the child its job and hear of it until it is done."""
    assert child.stdin is not None
    assert child.stdout is not None
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
    kind = OutOfMemoryError if code == -SIGKILL else TrainingError
    raise kind(f"the training's process ended with {ending(code)}; see {log}")


def _end(child: "subprocess.Popen[str]") -> None:
    """No child outlives its trial."""
    child.terminate()
    try:
        child.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
