"""One training in a process of its own: a job comes in, what becomes of it goes out as lines.

Lines: {"epoch", "score"} for each validation, then {"final"} with the last row of metrics.csv, or
{"error", "kind"}.
"""

import json
import os
import shutil
from multiprocessing import spawn
from pathlib import Path
from typing import Any, TextIO

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
)
from gridgen.files import is_file
from gridgen.grid import build_grid
from gridgen.training import Recipe, Run, resume, train
from gridgen.training.loop.watch import Watch
from gridgen.training.run.folder import FACTS, MetricsRow

TRIAL = "GRIDGEN_TRIAL"
"""Environment variable that is set in the processes of a search."""
OTHERS = (DataError, DeviceError, FileError, RunError)
"""Errors that every other candidate would meet as well: they end the search, not the candidate."""
MEMORY = (OutOfMemoryError, TooLargeError)
"""Errors of a candidate that is too large, which is infeasible and has not failed."""


class Messages(Watch):
    """Sends the score of every validation to the driver."""

    def __init__(self, out: TextIO, objective: str) -> None:
        self.out, self.objective = out, objective

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
    except GridgenError as error:
        messages.say({"error": str(error), "kind": _kind(error)})
        return 1
    return 0


def _kind(error: GridgenError) -> str:
    """`memory`, `candidate`, or for what is not the candidate's fault the error's own name."""
    if isinstance(error, MEMORY):
        return "memory"
    return type(error).__name__ if isinstance(error, OTHERS) else "candidate"


def _trained(job: dict[str, Any], messages: Messages) -> MetricsRow:
    folder = Path(job["folder"])
    if _is_the_jobs(folder, job):
        rows = Run.open(folder).rows()
        for row in rows:
            messages.scored(row)
        run = resume(folder, device=job["device"], watch=messages)
    else:
        # Another candidate's, or one that was killed before run.json was written.
        shutil.rmtree(folder, ignore_errors=True)
        run = train(
            build_grid(spec_of(job["spec"])),
            job["data"],
            Recipe(**job["recipe"]),
            folder=folder,
            holdout=job["holdout"],
            fold=job["fold"],
            seed=job["seed"],
            device=job["device"],
            watch=messages,
        )
    return run.rows()[-1]


def _is_the_jobs(folder: Path, job: dict[str, Any]) -> bool:
    """Whether the run in a folder is of the job's network, recipe, data and seed."""
    if not is_file(folder / FACTS):
        return False
    run = Run.open(folder)
    try:
        facts = run.facts
        begun = (run.spec, run.recipe, facts.data, facts.holdout, facts.fold, facts.seed)
        run.rows()
    except (GridgenError, OSError):
        return False  # damaged: it is begun anew
    asked = (spec_of(job["spec"]), Recipe(**job["recipe"]), lasting_name(job["data"]))
    held = {name: getattr(facts, name, None) for name in job["held"]}
    return begun == (*asked, job["holdout"], job["fold"], job["seed"]) and held == job["held"]


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
