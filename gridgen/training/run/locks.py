"""Locks of folders, which the kernel releases however a process ends."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gridgen.errors import FileError, RunError, reason_of
from gridgen.files import make_folder, require_file

try:
    import fcntl
except ImportError:  # Windows; all but training and searching works there
    fcntl = None  # type: ignore[assignment]


@contextmanager
def lock(path: Path, busy: str) -> Iterator[IO[str]]:
    """Hold the file lock at `path`. Errors: `RunError` `busy` where another process holds it."""
    require_locks()
    make_folder(path.parent)
    try:
        if path.exists():
            require_file(path)  # opening a pipe would wait for its other end
        file = open(path, "w")  # noqa: SIM115 - closed below
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {reason_of(error)}") from error
    with file:
        try:
            # The kernel releases it however the process ends; a file with a process id would stay.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError(busy) from error
        except OSError as error:
            fact = f"{path}: cannot be locked: {reason_of(error)}"
            raise FileError(f"{fact}; use a file system that has locks") from error
        yield file


def require_locks() -> None:
    """Refuse to train where a second training in a folder goes unnoticed. Errors: `RunError`."""
    if fcntl is None:
        fact = f"trainings and searches lock their folders, which {sys.platform} cannot do"
        raise RunError(f"{fact}; train on Linux, macOS or WSL")
