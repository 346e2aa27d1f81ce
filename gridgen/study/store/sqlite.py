"""The SQLite database of a study, which Optuna reads and writes through SQLAlchemy."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from optuna.storages import RDBStorage
from sqlalchemy import URL

from gridgen.errors import RunError
from gridgen.study.store.attributes import Damaged

ATTRIBUTES = ("study_user_attributes", "trial_user_attributes")
LEAST_BYTES = 64
"""Less than what a row takes, of all rows."""


def sqlite_address(path: Path) -> str:
    """The URL of an SQLite file, whatever characters its path holds. Errors: `RunError`.

    >>> sqlite_address(Path("found?/study.db"))
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


def connect_sqlite(path: Path) -> RDBStorage:
    """The storage in a database, which is made if there is none."""
    # Optuna would make the tables that a damaged one lacks.
    return RDBStorage(sqlite_address(path), skip_table_creation=path.exists())


def check_sqlite(path: Path) -> None:
    """The database's pages, tables and indexes agree. Errors: `Damaged`."""
    if not path.stat().st_size:
        raise Damaged("it is empty")
    try:
        with closing(_opened(path)) as database:
            # More than quick_check: an index that lacks a row would hide it from Optuna.
            (found, *_), *_ = database.execute("PRAGMA integrity_check(1)")
    except sqlite3.Error as error:
        raise Damaged(str(error)) from error
    if found != "ok":
        raise Damaged(" ".join(str(found).split()))


def mend_sqlite(path: Path) -> None:
    """Nothing: SQLite itself takes back what a killed process left half written."""


def sqlite_values(path: Path) -> Iterator[Any]:
    """Values of all user attributes that can be read, row by row, whatever the others are."""
    with closing(_opened(path)) as database:
        database.text_factory = bytes
        for table in ATTRIBUTES:
            # Where pages are damaged, neither the number of rows nor the last one can be told.
            for row in range(1, path.stat().st_size // LEAST_BYTES + 1):
                with suppress(sqlite3.Error, ValueError, RecursionError):
                    query = f"SELECT value_json FROM {table} WHERE rowid = ?"
                    for (value,) in database.execute(query, (row,)):
                        yield json.loads(value)


def _opened(path: Path) -> sqlite3.Connection:
    # Not read-only: what a killed process left half written must be taken back first.
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)
