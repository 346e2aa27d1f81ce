"""One place of a search on a machine of a Ray cluster, where one training after another runs.

Ray makes a `RayTrainer` in a process of its own on whatever machine has the resources. A training
is a child of that process, as on one machine, so that it can be stopped, killed and begun again.
"""

import os
import shutil
import socket
import tempfile
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from signal import Signals
from typing import Any, NamedTuple

from gridgen.errors import GridgenError, RunError
from gridgen.files import is_file, read_text
from gridgen.study.engine.carrying import INITIAL, LOG, RUN, packed, unpacked
from gridgen.study.engine.messages import Message
from gridgen.study.engine.processes import Processes
from gridgen.study.engine.worker import told_of
from gridgen.training.run.locks import lock

PACKAGES = ("gridgen", "torch")
"""Those whose versions must be the same everywhere."""
FREE_SECONDS = 60.0
"""How long a folder may be locked by a training that was cut off, and is about to end."""


class RayMachine(NamedTuple):
    """Where a trainer is; `sees` is whether the search's folder is there too."""

    name: str
    node: str
    versions: dict[str, str]
    sees: bool


class RayTrainer:
    """Runs a training in a child process with so many threads, and answers for it.

    Ray calls `signal` in another thread while `messages` waits.
    """

    def __init__(self, threads: int, sign: Path, word: str) -> None:
        cores = len(os.sched_getaffinity(0))
        self._processes = Processes(threads, max(1, cores // threads))
        self._held = ExitStack()
        self._sees = is_file(sign) and read_text(sign) == word
        # Where the training does not write into the job's folder: that which is carried.
        self._here: Path | None = None

    def machine(self) -> RayMachine:
        """What this machine is, and whether it has what a training needs."""
        import ray

        node = ray.get_runtime_context().get_node_id()
        return RayMachine(socket.gethostname(), node, versions(), self._sees)

    def begin(
        self, number: int, job: dict[str, Any], log: Path, carried: bytes | None
    ) -> list[dict[str, Any]]:
        """Begin a training, in a folder that holds what was carried here unless the job's is seen;
        what is to be told if that fails.
        """
        try:
            self._here = None
            if not self._sees:
                job, log = self._unpacked(job, carried or b"")
            _await_free(Path(job["folder"]) / ".lock")
            self._processes.begin(number, job, log)
        except (GridgenError, OSError) as error:
            return [told_of(error), {"code": 1}]
        return [{"begun": True}]

    def messages(self, number: int, seconds: float) -> list[dict[str, Any]]:
        """What the training has said, waiting for so long; the archive of its folder before its
        end, where the search does not see that.
        """
        said = self._said(number, self._processes.messages(seconds))
        if said and "code" in said[-1] and self._here is not None:
            said[-1:] = [*self._carried(self._here), said[-1]]
        return said

    def _carried(self, place: Path) -> list[dict[str, Any]]:
        """What the training has written, which is then removed here; the error if that fails."""
        self._here = None
        try:
            return [{"carried": packed({RUN: place / RUN, LOG: place / LOG})}]
        except OSError as error:
            return [told_of(error)]
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def signal(self, number: int, which: int) -> None:
        """Send a signal to the training."""
        self._processes.signal(number, Signals(which))

    def hold(self, number: int) -> None:
        """Stop the training until `go`."""
        self._held.enter_context(self._processes.held([number]))

    def go(self) -> None:
        """Have what was held go on."""
        self._held.close()

    def _unpacked(self, job: dict[str, Any], carried: bytes) -> tuple[dict[str, Any], Path]:
        """The job in a folder of this machine, and its log."""
        place = Path(tempfile.mkdtemp(prefix="gridgen-"))
        self._here = place
        unpacked(carried, place)
        initial = None if job["init"] is None else str(place / INITIAL)
        return {**job, "folder": str(place / RUN), "init": initial}, place / LOG

    @staticmethod
    def _said(number: int, messages: list[Message]) -> list[dict[str, Any]]:
        return [
            each.said for each in messages if each.number == number and "begun" not in each.said
        ]


def versions() -> dict[str, str]:
    """Of the packages that must be the same everywhere."""
    return {name: version(name) for name in PACKAGES}


def _await_free(path: Path) -> None:
    """Wait while a training that was cut off from its search still holds the lock of its folder."""
    until = time.monotonic() + FREE_SECONDS
    while is_file(path) and time.monotonic() < until:
        try:
            with lock(path, "held"):
                return
        except RunError:
            time.sleep(0.2)
