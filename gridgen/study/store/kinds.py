"""Where trials may be stored: an SQLite database, or a journal. Add one as a line in `KINDS`."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock
from sqlalchemy.engine import URL

from gridgen.errors import RunError, unknown
from gridgen.files import is_file


@dataclass(frozen=True)
class StorageKind:
    """How trials are stored: the file's name, how it is opened, and how it is made whole before.

    `mend(path)` changes nothing but what a killed writer left half written, and raises `ValueError`
    with a reason for a file that is damaged.
    """

    description: str
    file: str
    open: Callable[[Path], BaseStorage]
    mend: Callable[[Path], None]


class NoLock(BaseJournalFileLock):
    """No lock: a search holds that of the study's folder, so that there is one writer.

    Optuna's own would outlive a killed process.
    """

    def acquire(self) -> bool:
        """Nothing to wait for."""
        return True

    def release(self) -> None:
        """Nothing to give back."""


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite file, whatever characters its path holds. Errors: `RunError`.

    >>> sqlite_url(Path("found?/study.db"))
    'sqlite:///found%3F/study.db'
    """
    # SQLAlchemy ends a path at `?` and decodes the rest, so SQLAlchemy itself must encode it.
    try:
        url = URL.create("sqlite", database=str(path)).render_as_string()
    except UnicodeEncodeError as error:
        fact = "the name is not UTF-8, as the address of a study's database must be"
        raise RunError(f"{path}: {fact}; name another folder with -o") from error
    # Optuna runs str.format over the URL, for which a single brace begins a field.
    return url.replace("{", "{{").replace("}", "}}")


def _check_sqlite(path: Path) -> None:
    if not path.stat().st_size:
        return
    try:
        with closing(sqlite3.connect(path)) as database:
            answer = database.execute("PRAGMA quick_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise ValueError(str(error)) from error
    if answer != ("ok",):
        raise ValueError(str(answer[0]).splitlines()[0])


def _cut_torn_line(path: Path) -> None:
    """Take away a last line that a killed writer left without its end."""
    with open(path, "r+b") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)
            os.fsync(file.fileno())


KINDS: dict[str, StorageKind] = {
    "sqlite": StorageKind(
        "one SQLite file, which most tools read: the default",
        "study.db",
        lambda path: RDBStorage(sqlite_url(path)),
        _check_sqlite,
    ),
    "journal": StorageKind(
        "one file of lines, for file systems without locks",
        "study.journal",
        lambda path: JournalStorage(JournalFileBackend(str(path), NoLock())),
        _cut_torn_line,
    ),
}


def kind_in(folder: Path, wanted: str | None = None) -> tuple[Path, StorageKind]:
    """The file of a study in `folder`, be it there or not, and its kind.

    What is there decides; of a new one the kind is as `wanted`, or sqlite. Errors: `RunError`.
    """
    if wanted is not None and wanted not in KINDS:
        raise RunError(unknown("storage", wanted, KINDS))
    there = [name for name, kind in KINDS.items() if is_file(folder / kind.file)]
    if len(there) > 1:
        files = " and ".join(KINDS[name].file for name in there)
        raise RunError(f"{folder} holds {files}; keep the one that the search wrote last")
    name = there[0] if there else wanted or "sqlite"
    if wanted not in (None, name):
        fact = f"{folder} holds a study in {KINDS[name].file}"
        raise RunError(f"{fact}, not in {KINDS[str(wanted)].file}; leave out --storage")
    return folder / KINDS[name].file, KINDS[name]
