"""The child process of one trial: reads a job from stdin, trains, writes JSON lines.

`python -m gridgen.study.trial`. Stdin stays open as a life line: when it closes, the process
that asked is gone, and so is this one. Lines: {"epoch", "score"}, then {"final"} or {"error"}.
"""

import json
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

from gridgen.errors import GridgenError
from gridgen.grid import build_grid
from gridgen.spec import GridSpec
from gridgen.training import Recipe, Run, resume, train
from gridgen.training.interrupts import Interrupted
from gridgen.training.watch import Watch


class Lines(Watch):
    """Tells of every validation on stdout."""

    def scored(self, epoch: int, loss: float, iou: float) -> None:
        """One line."""
        say({"epoch": epoch, "score": iou})


def say(message: dict[str, Any]) -> None:
    """One JSON line to the process that asked."""
    print(json.dumps(message), flush=True)


def follow_parent() -> None:
    """End with the process at the other end of stdin."""

    def wait() -> None:
        sys.stdin.read()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def run_job(job: dict[str, Any]) -> float:
    """Train, or go on where a killed process stopped; the final score."""
    folder = Path(job["folder"])
    if (folder / "run.json").is_file() and any(folder.glob("checkpoints/step-*")):
        run = resume(folder, device=job["device"], watch=Lines())
    else:
        shutil.rmtree(folder, ignore_errors=True)
        run = _train(job, folder)
    return float(run.rows()[-1][job["objective"]])


def _train(job: dict[str, Any], folder: Path) -> Run:
    return train(
        build_grid(GridSpec.of(**job["spec"])),
        job["data"],
        Recipe.of(**job["recipe"]),
        folder=folder,
        seed=job["seed"],
        device=job["device"],
        watch=Lines(),
    )


def main() -> int:
    """Exit code 0 with a final score, 1 with an error, 143 when asked to stop."""
    job = json.loads(sys.stdin.readline())
    follow_parent()
    try:
        say({"final": run_job(job)})
    except Interrupted as error:
        return 128 + error.signal
    except GridgenError as error:
        say({"error": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
