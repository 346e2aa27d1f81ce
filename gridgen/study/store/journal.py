"""The journal file: Optuna's, each line of ours with a checksum over the file up to its end.

Other programs read it as any journal of Optuna. A dashboard may add lines, of notes alone.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from gridgen.files import require_file
from gridgen.study.store.attributes import Damaged

CHAINED = re.compile(rb',"sum":"([0-9a-f]{64})"\}\n$')
NOTES = (3, 9)
"""Operations of Optuna's journal that set attributes of other programs: of a study, of a trial."""
PATIENCE_SECONDS = 2


class ChainedJournal(JournalFileBackend):
    """Optuna's journal file, whose lines say the SHA-256 of all that stands before their end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held = JournalFileSymlinkLock(str(path))
        self._total, self._size = hashlib.sha256(), 0
        super().__init__(str(path), self._held)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add lines whole, or none of them where the disk is full."""
        self._held.acquire()
        try:
            with open(self._path, "r+b") as file:
                file.seek(self._size)
                total = self._total.copy()
                total.update(file.read())  # lines that a dashboard added
                begin = file.tell()
                lines = b"".join(_chained(log, total) for log in logs)
                self._write(file, lines, begin)
                self._total, self._size = total, begin + len(lines)
        finally:
            self._held.release()

    def _write(self, file: BinaryIO, lines: bytes, begin: int) -> None:
        try:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            # Half a line would stand in the middle of the file for ever.
            os.truncate(self._path, begin)
            raise


def _chained(log: dict[str, Any], total: Any) -> bytes:
    """The line of an operation; `total` is of all before it, and then of it too."""
    text = json.dumps(log, separators=(",", ":")).encode()
    through = total.copy()
    through.update(text)
    line: bytes = text[:-1] + b',"sum":"' + through.hexdigest().encode() + b'"}\n'
    total.update(line)
    return line


def connect_journal(path: Path) -> JournalStorage:
    """The storage in a journal file, which is made if there is none."""
    return JournalStorage(ChainedJournal(path))


def mend_journal(path: Path) -> None:
    """Take away what a killed process leaves: half a last line, and its lock.

    The caller holds the lock of the study's folder.
    """
    lock = path.with_name(f"{path.name}.lock")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while os.path.lexists(lock):
        # A dashboard holds it for the time of a write.
        if time.monotonic() > deadline:
            with suppress(FileNotFoundError):
                lock.unlink()
        time.sleep(0.01)
    require_file(path)  # opening a pipe would wait for its other end
    with open(path, "r+b") as file:
        torn = next((line for line in file if not line.endswith(b"\n")), b"")
        if torn:
            file.truncate(file.seek(0, os.SEEK_END) - len(torn))
            os.fsync(file.fileno())


def check_journal(path: Path) -> None:
    """Every line of ours is as it was written, and so is all before it. Errors: `Damaged`."""
    total, lines = hashlib.sha256(), 0
    require_file(path)
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                break  # which is being written, or was when its writer was killed
            if not _is_right(line, total):
                raise Damaged(f"line {number} is not what was written")
            total.update(line)
            lines += 1
    if not lines:
        raise Damaged("it is empty")


def _is_right(line: bytes, total: Any) -> bool:
    found = CHAINED.search(line)
    if found is None:
        return _operation(line) in NOTES
    through = total.copy()
    through.update(line[: found.start()] + b"}")
    return bool(through.hexdigest().encode() == found[1])


def _operation(line: bytes) -> Any:
    try:
        read = json.loads(line)
    except ValueError:
        return None
    return read.get("op_code") if isinstance(read, dict) else None


def journal_values(path: Path) -> Iterator[Any]:
    """Values of all user attributes in lines that can be read, whatever the others are."""
    for line in path.read_bytes().splitlines():
        try:
            read = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(read, dict):
            for name in ("user_attr", "user_attrs"):
                found = read.get(name)
                yield from found.values() if isinstance(found, dict) else ()
