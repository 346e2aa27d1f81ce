"""One training in a process of its own: a job comes in, what becomes of it goes out as lines.

Lines: {"epoch", "score"} for each validation, then {"final"} with the last row of metrics.csv, or
{"error", "kind", "name"}.
"""

import json
import os
import shutil
from collections.abc import Sequence
from multiprocessing import spawn
from pathlib import Path
from typing import Any, Literal, TextIO

import torch

from gridgen.architectures.load import spec_of
from gridgen.data.datasets import find_dataset, lasting_name
from gridgen.errors import (
    DataError,
    DeviceError,
    FileError,
    GridgenError,
    Interrupted,
    OutOfMemoryError,
    RunError,
    SpecError,
    TooLargeError,
    TrainingError,
    UsageError,
    WeightsError,
    reason_of,
)
from gridgen.files import is_file
from gridgen.grid import build_grid
from gridgen.study.engine.messages import TRIAL
from gridgen.training import Recipe, Run, resume, train
from gridgen.training.loop.watch import Watch
from gridgen.training.processes.devices import out_of_memory
from gridgen.training.run.folder import FACTS, MetricsRow

SAME = ("data", "holdout", "fold", "group", "seed", "init")
"""Facts of a run that the job decides, beside network and recipe."""
Fault = Literal["candidate", "memory", "environment"]
FAULTS: dict[type[Exception], Fault] = {
    # A candidate that is too large is infeasible and has not failed.
    OutOfMemoryError: "memory",
    TooLargeError: "memory",
    # The disk is full, another process holds the folder, images have vanished, a device is lost:
    # every other candidate would meet these as well.
    DataError: "environment",
    DeviceError: "environment",
    FileError: "environment",
    RunError: "environment",
    UsageError: "environment",
    WeightsError: "environment",
    OSError: "environment",
    # Its own: SpecError, GridError, SizeError, TrainingError.
    GridgenError: "candidate",
}
"""Whose fault an error is, by the first class here that it belongs to."""


class Messages(Watch):
    """Sends the score of every validation to the driver."""

    def __init__(self, out: TextIO, objective: str) -> None:
        self.out, self.objective = out, objective

    def started(self, run: Run, total: int, done: int, workers: int) -> None:
        """Send what was scored before; the last may be known from the checkpoint alone."""
        self.replay(run.rows())

    def replay(self, rows: Sequence[MetricsRow]) -> None:
        """Send scores of validations again, since whoever was told may be gone."""
        for row in rows:
            self.scored(row)

    def scored(self, row: MetricsRow) -> None:
        """Send the epoch and the score."""
        self.say({"epoch": int(row["epoch"]), "score": row[self.objective]})

    def say(self, message: dict[str, Any]) -> None:
        """Send a message as one JSON line."""
        print(json.dumps(message), file=self.out, flush=True)


def run_job(job: dict[str, Any], out: TextIO) -> int:
    """Train, or go on where a killed process stopped; the exit code of the process.

    0 with a final row, 1 with an error, 128 + N after signal N, the state saved.
    """
    messages = Messages(out, job["objective"])
    torch.set_num_threads(job["threads"])
    try:
        _know_members(job)
        messages.say({"final": _trained(job, messages)})
    except Interrupted as error:
        return 128 + error.signal
    except (GridgenError, OSError, RuntimeError, MemoryError) as error:
        if not isinstance(error, GridgenError | OSError) and not out_of_memory(error):
            raise
        messages.say(told_of(error))
        return 1
    return 0


def told_of(error: Exception) -> dict[str, str]:
    """What the driver is told of an error: its text, whose fault it is, and its class.

    >>> told_of(RunError("another process is training this run"))
    {'error': 'another process is training this run', 'kind': 'environment', 'name': 'RunError'}
    """
    fault, cause = _fault(error), error
    # What stops a training in the middle, such as a full disk, is the cause of a TrainingError.
    if fault == "candidate" and isinstance(error, TrainingError) and error.__cause__ is not None:
        fault = _fault(error.__cause__)
        cause = error.__cause__ if isinstance(error.__cause__, GridgenError) else FileError()
    text = str(error)
    if isinstance(error, OSError):
        text, cause = f"{error.filename or 'a file'}: {reason_of(error)}", FileError()
    elif not isinstance(error, GridgenError):
        text = "memory ran out; lower batch or crop.size"
    return {"error": text, "kind": fault, "name": type(cause).__name__}


def _fault(error: BaseException) -> Fault:
    if isinstance(error, Exception) and out_of_memory(error):
        return "memory"
    return next((fault for kind, fault in FAULTS.items() if isinstance(error, kind)), "candidate")


def _trained(job: dict[str, Any], messages: Messages) -> MetricsRow:
    folder = Path(job["folder"])
    if _is_the_jobs(folder, job):
        run = Run.open(folder)
        rows = run.rows()
        # The pictures are what a training draws last.
        if run.is_finished(rows) and is_file(folder / "predictions.png"):
            messages.replay(rows)
            return rows[-1]
        run = resume(folder, device=job["device"], watch=messages)
    else:
        _empty(folder)
        run = train(
            build_grid(spec_of(job["spec"])),
            job["data"],
            Recipe(**job["recipe"]),
            folder=folder,
            holdout=job["holdout"],
            fold=job["fold"],
            group=job["group"],
            seed=job["seed"],
            init=job["init"],
            device=job["device"],
            watch=messages,
        )
    return run.rows()[-1]


def _empty(folder: Path) -> None:
    """Take away another candidate's run, or one that was killed before run.json was written.

    Errors: `RunError` where a process still trains there.
    """
    if is_file(folder / FACTS):
        with Run.open(folder).locked():
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _is_the_jobs(folder: Path, job: dict[str, Any]) -> bool:
    """Whether the run in a folder is of the job's network, recipe, data and seed."""
    if not is_file(folder / FACTS):
        return False
    run = Run.open(folder)
    try:
        facts = run.facts
        begun = (run.spec, run.recipe, *(getattr(facts, name) for name in SAME))
        run.rows()
    except (GridgenError, OSError):
        return False  # damaged: it is begun anew
    own = (job[name] for name in SAME[1:])
    asked = (spec_of(job["spec"]), Recipe(**job["recipe"]), lasting_name(job["data"]), *own)
    held = {name: getattr(facts, name, None) for name in job["held"]}
    return begun == asked and held == job["held"]


def _know_members(job: dict[str, Any]) -> None:
    """Import the program that searches, where the job names what only that has entered: a unit or a
    dataset of one's own, for example.
    """
    os.environ[TRIAL] = "1"
    try:
        spec_of(job["spec"])
        Recipe(**job["recipe"])
        find_dataset(job["data"])
    except (SpecError, DataError):
        # Not always: a program that begins its search without a guard would begin another here.
        spawn.prepare(job["program"])
