"""The child process of one trial: reads a job from stdin, trains, writes JSON lines.

`python -m gridgen.study.worker`. Stdin stays open as a life line: when it closes, the driver is
gone, and this process ends too. Lines: {"epoch", "score"}, then {"final"} or
{"error", "kind"}. Whatever else is printed goes to stderr.
"""

import json
import os
import shutil
import sys
import threading
from multiprocessing import spawn
from pathlib import Path
from typing import Any, TextIO

from gridgen.data.datasets import find_dataset
from gridgen.errors import DataError, GridgenError, Interrupted, OutOfMemoryError, SpecError
from gridgen.grid import build_grid
from gridgen.spec import GridSpec
from gridgen.training import Recipe, Run, resume, train
from gridgen.training.loop.watch import Watch
from gridgen.training.run.folder import MetricsRow


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


def own_stdout() -> TextIO:
    """The pipe to the driver; from now on, what others print goes to stderr."""
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return pipe


def follow_parent() -> None:
    """End this process when the driver, at the other end of stdin, ends."""

    def wait() -> None:
        sys.stdin.read()
        # sys.exit would end this thread alone; the training goes on in the main one.
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def know_members(job: dict[str, Any]) -> None:
    """Import the program that searches, where the job names what only that has entered: a unit or a
    dataset of one's own, for example.
    """
    try:
        GridSpec(**job["spec"])
        Recipe(**job["recipe"])
        find_dataset(job["data"])
    except (SpecError, DataError):
        # Not always: a program that begins its search without a guard would begin another here.
        spawn.prepare(job["program"])


def run_job(job: dict[str, Any], messages: Messages) -> float:
    """Train, or resume where a killed process stopped, and return the final score."""
    folder = Path(job["folder"])
    if (folder / "run.json").is_file():
        for row in Run.open(folder).rows():
            messages.scored(row)
        run = resume(folder, device=job["device"], watch=messages)
    else:
        # A process that was killed before run.json was written leaves a folder to begin anew.
        shutil.rmtree(folder, ignore_errors=True)
        run = train(
            build_grid(GridSpec(**job["spec"])),
            job["data"],
            Recipe(**job["recipe"]),
            folder=job["folder"],
            holdout=job["holdout"],
            fold=job["fold"],
            seed=job["seed"],
            device=job["device"],
            watch=messages,
        )
    return float(run.rows()[-1][job["objective"]])


def main() -> int:
    """Run the job on stdin; exit code 0 with a final score, 1 with an error, 143 after SIGTERM."""
    job = json.loads(sys.stdin.readline())
    messages = Messages(own_stdout(), job["objective"])
    follow_parent()
    try:
        know_members(job)
        messages.say({"final": run_job(job, messages)})
    except Interrupted as error:
        return 128 + error.signal
    except GridgenError as error:
        kind = "memory" if isinstance(error, OutOfMemoryError) else "error"
        messages.say({"error": str(error), "kind": kind})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
