"""Processes of this machine, as /proc shows them."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

on_linux = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="finds processes in /proc, which is Linux's"
)
PATIENCE = 90.0
TRACKER = "from multiprocessing.resource_tracker import"


def wait_for(happened: Callable[[], object], seconds: float = PATIENCE) -> object:
    """What `happened` answers, once that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = happened()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError(f"nothing after {seconds} s")


def children_of(process: int) -> list[int]:
    """Processes that this one has started and that have not ended.

    But for the one by which Python itself looks after semaphores: it stays in whatever process has
    once loaded images by others, such as that of another test.
    """
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state, parent, *_ = _stat(int(path.name))
            runs = int(parent) == process and state not in "ZX" and TRACKER not in _command(path)
        except OSError:
            continue  # it has ended
        if runs:
            found.append(int(path.name))
    return sorted(found)


def descendants(process: int) -> list[int]:
    """Processes that this one has started, and theirs, in that order."""
    found = [process]
    for parent in found:
        found += children_of(parent)
    return found[1:]


def state_of(process: int) -> str:
    """A letter: T for one that is stopped, Z for one that has ended and was not collected."""
    return _stat(process)[0]


def is_gone(process: int) -> bool:
    """Whether it has ended; what waits to be collected by a parent that is none has too."""
    try:
        return _stat(process)[0] in "ZX"
    except OSError:
        return True


def _command(path: Path) -> str:
    return (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def _stat(process: int) -> list[str]:
    """State, parent and so on."""
    text = Path(f"/proc/{process}/stat").read_text("utf-8")
    return text.rpartition(")")[2].split()
