"""What a training's process is told, what it tells, and what looks after such processes."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from multiprocessing import spawn
from pathlib import Path
from signal import Signals
from typing import Any, NamedTuple, Protocol

from gridgen import errors
from gridgen.data.datasets import lasting_name
from gridgen.errors import GridgenError, OutOfMemoryError, TrainingError
from gridgen.study.engine.engine import TrainingJob

TRIAL = "GRIDGEN_TRIAL"
"""Environment variable that is set in the processes of a search."""


class Message(NamedTuple):
    """What the training of this number says, or what is said of it.

    {"begun"} when its process has begun, then what the process says, and at its end {"code"}, with
    "starved" where the system has ended it for want of memory, and "lost" with the reason where
    that of the exit is not known, since its machine or what looked after it is gone.
    """

    number: int
    said: dict[str, Any]


class TrainingProcesses(Protocol):
    """Processes of trainings, here or on other machines, by numbers that the caller gives."""

    def begin(self, number: int, job: dict[str, Any], log: Path) -> None:
        """Begin a process that does a job; what it prints goes to `log`."""

    def messages(self, seconds: float | None = None) -> list[Message]:
        """What was said, waiting for so long at most; none where nothing was said."""

    def signal(self, number: int, which: Signals) -> None:
        """Send a signal to a process, and but for SIGTERM to those that it has begun."""

    def held(self, numbers: Iterable[int]) -> AbstractContextManager[None]:
        """Stop those of the processes meanwhile that use this machine."""

    def close(self) -> None:
        """End all processes."""


@dataclass(frozen=True)
class Shared:
    """What all trainings of a search share. `timeout` is in seconds; `held` are the digests of what
    the data holds.
    """

    data: str
    objective: str
    holdout: str | None = None
    fold: str | None = None
    group: str | None = None
    device: str = "auto"
    timeout: float | None = None
    held: dict[str, str] = field(default_factory=dict)

    def told(self, job: TrainingJob) -> dict[str, Any]:
        """A job as its process reads it."""
        return {
            "spec": job.network.complete(),
            "recipe": job.recipe.complete(),
            "seed": job.seed,
            "folder": str(job.folder.absolute()),
            "init": None if job.init is None else str(job.init.absolute()),
            "data": lasting_name(self.data),
            "objective": self.objective,
            "holdout": self.holdout,
            "fold": self.fold,
            "group": self.group,
            "device": self.device,
            "held": self.held,
            "program": _program(),
        }


def log_of(folder: Path) -> Path:
    """What the processes of a training have printed."""
    return folder.parent / f"{folder.name}.log"


def error_of(job: TrainingJob, said: dict[str, str]) -> GridgenError:
    """The error of which a process has told."""
    if said["kind"] == "environment":
        kind: type[GridgenError] = getattr(errors, said["name"])
        return kind(f"trial {job.trial}, seed {job.seed}: {said['error']}")
    return {"candidate": TrainingError, "memory": OutOfMemoryError}[said["kind"]](said["error"])


def _program() -> dict[str, Any]:
    """What a child needs to import this program, as a process does that Python itself spawns."""
    needed = ("sys_path", "sys_argv", "init_main_from_name", "init_main_from_path")
    known = spawn.get_preparation_data("trial")
    return {name: known[name] for name in needed if name in known}
