"""Where the storage of a study lies: the kinds of them, and how one is found, made and opened."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import optuna
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from gridgen.errors import RunError, reason_of, unknown
from gridgen.files import flush_folder, is_file, is_folder, make_folder
from gridgen.study.store.attributes import Attributes, Damaged, sealed, unsealed
from gridgen.study.store.identity import Identity
from gridgen.study.store.journal import (
    check_journal,
    connect_journal,
    journal_values,
    mend_journal,
)
from gridgen.study.store.postgresql import (
    begin_postgresql,
    check_postgresql,
    connect_postgresql,
    hold_postgresql,
    is_address,
    mend_postgresql,
    place_of,
    postgresql_values,
    require_address,
)
from gridgen.study.store.sqlite import check_sqlite, connect_sqlite, mend_sqlite, sqlite_values
from gridgen.training.run.folder import TRIALS
from gridgen.training.run.locks import lock

NAME = "gridgen"
"""The one study in each storage."""
STUDY_KEY = "study"


@dataclass(frozen=True)
class StorageKind:
    """A way to keep trials: the file in the study's folder, and what is done with it.

    `check` finds what is not as it was written (`Damaged`), `mend` takes away what a kill leaves,
    `values` yields the user attributes that can still be read. A kind that lies elsewhere has a
    file that says where, which `begin` writes for an address; `name` is that of the study in the
    storage, `hold` locks it against processes that do not see the folder's lock.
    """

    file: str
    connect: Callable[[Path], BaseStorage]
    check: Callable[[Path], None]
    mend: Callable[[Path], None]
    values: Callable[[Path], Iterator[Any]]
    begin: Callable[[Path, str], None] = lambda path, address: None
    name: Callable[[Path], str] = lambda path: NAME
    hold: Callable[[BaseStorage, str], None] = lambda storage, busy: None
    address: Callable[[Path], str] = lambda path: ""


FILES = ("sqlite", "journal")
"""Those of the kinds below that keep all in a file of the study's folder."""
KINDS: dict[str, StorageKind] = {
    "sqlite": StorageKind("study.db", connect_sqlite, check_sqlite, mend_sqlite, sqlite_values),
    "journal": StorageKind(
        "study.journal", connect_journal, check_journal, mend_journal, journal_values
    ),
    "postgresql": StorageKind(
        "study.postgresql",
        connect_postgresql,
        check_postgresql,
        mend_postgresql,
        postgresql_values,
        begin=begin_postgresql,
        name=lambda path: place_of(path).study,
        hold=hold_postgresql,
        address=lambda path: place_of(path).address,
    ),
}


def kind_named(storage: str) -> StorageKind:
    """The kind that is asked for: by its name, or by the address of a database.

    Errors: `RunError`.
    """
    if is_address(storage):
        require_address(storage)
        return KINDS["postgresql"]
    if storage not in FILES:
        known = (*FILES, "postgresql://USER@HOST/DATABASE")
        raise RunError(unknown("storage", storage, known))
    return KINDS[storage]


@dataclass(frozen=True)
class Opened:
    """A storage that was checked: the one study in it, its trials, and what is noted of it."""

    storage: BaseStorage
    study_id: int
    trials: list[FrozenTrial]
    noted: Attributes
    attributes: Attributes


def locked_study(
    folder: Path, busy: str = "at work on this study"
) -> AbstractContextManager[IO[str]]:
    """Hold the lock of a study's folder. Errors: `RunError` where another process does, `busy`."""
    return lock(folder / ".lock", f"{folder}: another process is {busy}")


def kind_in(folder: Path, wanted: str | None = None) -> StorageKind | None:
    """The kind of what is in the folder; None in a new one.

    Errors: `RunError` for several, for another than is wanted, and where it is lost.
    """
    asked = None if wanted is None else kind_named(wanted)
    found = [each for each in KINDS.values() if is_file(folder / each.file)]
    if len(found) > 1:
        files = " and ".join(each.file for each in found)
        raise RunError(f"{folder} holds {files}, of which only one can be right; move one away")
    if not found and (left := _orphaned(folder)):
        fact = f"{folder} holds {left}, but no study.db or study.journal"
        raise RunError(f"{fact}; {repair_told(folder)}")
    if found and asked is not None and asked is not found[0]:
        fact = f"{folder} holds a study in {found[0].file}, not in {asked.file}"
        raise RunError(f"{fact}; leave out --storage")
    if found and wanted is not None and is_address(wanted):
        _require_address(folder / found[0].file, found[0], wanted)
    return found[0] if found else None


def _require_address(path: Path, kind: StorageKind, wanted: str) -> None:
    with suppress(Damaged):  # which is told of when it is opened
        if (known := kind.address(path)) != wanted:
            raise RunError(f"{path} names {known}, not {wanted}; leave out --storage")


def create(path: Path, kind: StorageKind, noted: Attributes, address: str = "") -> None:
    """Make a storage without trials, whole or not at all. The caller holds the folder's lock."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    optuna.logging.set_verbosity(logging.WARNING)
    make_folder(path.parent)
    for file in (temporary, temporary.with_name(f"{temporary.name}-journal")):
        file.unlink(missing_ok=True)
    kind.begin(temporary, address)
    with writing(path.parent):
        try:
            storage = kind.connect(temporary)
        except RunError:
            temporary.unlink(missing_ok=True)
            raise
        study = storage.create_new_study(_directions(noted), kind.name(temporary))
        storage.set_study_user_attr(study, STUDY_KEY, sealed(-1, STUDY_KEY, noted))
        close(storage)
        os.replace(temporary, path)
        flush_folder(path.parent)


def open_storage_of(folder: Path, kind: StorageKind) -> Opened:
    """Check and open what lies in the folder. Errors: `RunError` where it is damaged."""
    path = folder / kind.file
    optuna.logging.set_verbosity(logging.WARNING)
    try:
        # Before the trials are read: of one that begins meanwhile the record is written first.
        folders = list(numbered_folders(folder))
        kind.check(path)
        opened = read_storage(kind, path)
        _require_records(folders, len(opened.trials))
    except Damaged as error:
        raise damaged(folder, path, str(error)) from error
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {reason_of(error)}") from error
    return opened


def read_storage(kind: StorageKind, path: Path) -> Opened:
    """All that is stored, at once. Errors: `Damaged`."""
    storage = None
    try:
        storage = kind.connect(path)
        study = storage.get_study_id_from_name(kind.name(path))
        trials = storage.get_all_trials(study, deepcopy=False)
        directions = storage.get_study_directions(study)
        attributes = storage.get_study_user_attrs(study)
    except RunError:  # it lies elsewhere, and cannot be reached
        raise
    except Exception as error:  # Optuna trusts what it reads, and fails in any way where that fails
        if storage is not None:
            close(storage)
        reason = str(error.__cause__ or error).splitlines() or [type(error).__name__]
        raise Damaged(f"not the database of a study: {reason[0]}") from error
    noted = unsealed(attributes.get(STUDY_KEY))
    if directions != _directions(noted):
        raise Damaged("its directions are not those of its study")
    if [trial.number for trial in trials] != list(range(len(trials))):
        raise Damaged("trials are missing")
    return Opened(storage, study, trials, noted, attributes)


def note_of(identity: Identity) -> Attributes:
    """What a storage says of its study."""
    return {"text": identity.text, "digests": dict(identity.digests), "free": [*identity.free]}


def _directions(noted: Attributes) -> list[StudyDirection]:
    """Those of the objectives of the study that is noted."""
    ways = Identity(noted["text"], {}).objectives.values()
    return [StudyDirection.MAXIMIZE if w == "maximize" else StudyDirection.MINIMIZE for w in ways]


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Failures of a storage while it is written to are `RunError` of one line."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (StorageInternalError, SQLAlchemyError, OSError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error.__cause__ or error)
        fact = f"{folder}: the study's database failed: {reason.splitlines()[0]}"
        raise RunError(f"{fact}; its trials go on when the search is started again") from error


def damaged(folder: Path, path: Path, reason: str) -> RunError:
    """The error for a storage that is not what was written."""
    return RunError(f"{path}: damaged: {reason}; {repair_told(folder)}")


def repair_told(folder: Path) -> str:
    """What to do about it."""
    return f"gridgen study {folder} repair salvages what is whole"


def close(storage: BaseStorage) -> None:
    """Let go of the file."""
    storage.remove_session()
    if isinstance(storage, RDBStorage):
        storage.engine.dispose()


def _orphaned(folder: Path) -> str:
    """What only a storage that is lost can have left in a folder; "" for nothing."""
    if next(numbered_folders(folder), None) is not None:
        return f"{TRIALS}/"
    left = (f"{each.file}-journal" for each in KINDS.values())
    return next((name for name in left if is_file(folder / name)), "")


def _require_records(folders: Iterable[int], trials: int) -> None:
    """No trial has a folder without a record. Errors: `Damaged`."""
    beyond = [number for number in folders if number >= trials]
    if beyond:
        raise Damaged(f"trial {min(beyond)} has a folder, but no record")


def numbered_folders(folder: Path) -> Iterator[int]:
    """Numbers of the trials that have folders with anything in them."""
    if is_folder(folder / TRIALS):
        for path in (folder / TRIALS).iterdir():
            if path.name.isdecimal() and path.is_dir():
                yield int(path.name)
