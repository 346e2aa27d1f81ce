"""The trials of a study in a PostgreSQL database, for searches on machines that share no disk.

The study's folder holds a file that says where: the address and the study's name there. One driver
at a time holds an advisory lock of that name, wherever it runs.
"""

import json
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError, SQLAlchemyError

from gridgen.errors import RunError
from gridgen.files import read_text, write_file
from gridgen.study.store.attributes import Damaged

SCHEMES = ("postgresql", "postgres")
PATIENCE = 120.0
"""Seconds that a search waits for a server that does not answer, as one that is started again."""
PAUSE = 1.0
RELEASE = 2.0
"""Seconds that a server may take to see that the process which held a lock is gone."""
CONNECT_SECONDS = 10
AGAIN = (
    *("set_study_user_attr", "set_trial_user_attr", "set_trial_system_attr"),
    *("set_trial_intermediate_value", "set_trial_state_values"),
    *("get_study_id_from_name", "get_study_directions", "get_study_user_attrs"),
    *("get_all_trials", "get_n_trials", "get_trial_number_from_id"),
)
"""What can be asked or written twice without changing anything."""
QUERIES = (
    "SELECT a.value_json FROM study_user_attributes a "
    "JOIN studies s USING (study_id) WHERE s.study_name = :study",
    "SELECT a.value_json FROM trial_user_attributes a JOIN trials t USING (trial_id) "
    "JOIN studies s USING (study_id) WHERE s.study_name = :study",
)
"""Values of the user attributes of a study, and of its trials."""
AnswerT = TypeVar("AnswerT")


class DatabasePlace(NamedTuple):
    """Where a study lies: the address of the database, and the name of the study in it."""

    address: str
    study: str


def is_address(storage: str) -> bool:
    """Whether a storage is named by the address of a PostgreSQL database."""
    return storage.partition("://")[0] in SCHEMES


def require_address(address: str) -> None:
    """Refuse an address that is none, or holds a password. Errors: `RunError`."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        fact = f"--storage: {address!r} is no address"
        raise RunError(f"{fact}; write postgresql://USER@HOST/DATABASE") from error
    if url.password is not None:
        fact = "--storage: the address holds a password, which would stand in the study's folder"
        raise RunError(f"{fact}; leave it out, and set PGPASSWORD or write it to ~/.pgpass")
    if not url.database:
        fact = f"--storage: {address} names no database"
        raise RunError(f"{fact}; write postgresql://USER@HOST/DATABASE")


def begin_postgresql(path: Path, address: str) -> None:
    """Write the file that says where a new study lies."""
    place = DatabasePlace(address, f"gridgen-{uuid4().hex[:12]}")
    write_file(path, json.dumps(place._asdict(), indent=2) + "\n")


def place_of(path: Path) -> DatabasePlace:
    """What the file says. Errors: `Damaged`."""
    try:
        said = json.loads(read_text(path))
        return DatabasePlace(str(said["address"]), str(said["study"]))
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged("it does not say where the study lies") from error


def connect_postgresql(path: Path) -> "PatientStorage":
    """The storage of a study. Errors: `RunError` where nothing answers; `Damaged`."""
    place = place_of(path)
    try:
        import psycopg  # noqa: F401 - asked for before SQLAlchemy says it in its own words
    except ImportError as error:
        fact = f"{path}: PostgreSQL needs psycopg"
        raise RunError(f"{fact}; pip install 'gridgen[postgresql]'") from error
    url = make_url(place.address).set(drivername="postgresql+psycopg")
    try:
        return PatientStorage(url.render_as_string(), place)
    except (SQLAlchemyError, StorageInternalError) as error:
        cause = str(error.__cause__ or error).strip().splitlines()[0]
        fact = f"{place.address} cannot be used: {cause}"
        raise RunError(f"{fact}; start the server, or make the database") from error


def check_postgresql(path: Path) -> None:
    """The file says where the study lies; what a server holds, it checks itself."""
    place_of(path)


def mend_postgresql(path: Path) -> None:
    """Nothing: the server itself takes back what a killed process left half written."""


def postgresql_values(path: Path) -> Iterator[Any]:
    """Values of all user attributes of the study that can be read."""
    storage = connect_postgresql(path)
    named = {"study": storage.place.study}
    try:
        with storage.engine.connect() as connection, suppress(SQLAlchemyError):
            for query in QUERIES:
                for (value,) in connection.execute(text(query), named):
                    with suppress(ValueError, RecursionError):
                        yield json.loads(value)
    finally:
        storage.engine.dispose()


class PatientStorage(RDBStorage):
    """Optuna's storage, which waits where the server is gone for a while.

    A write whose answer was lost is done again, where it had not arrived.
    """

    def __init__(self, url: str, place: DatabasePlace) -> None:
        arguments = {"connect_timeout": CONNECT_SECONDS}
        super().__init__(url, {"pool_pre_ping": True, "connect_args": arguments})
        self.place = place
        self._lock: Connection | None = None
        for name in AGAIN:
            setattr(self, name, self._patient(getattr(super(), name)))

    def hold(self, busy: str) -> None:
        """Hold the lock of the study until `close`. Errors: `RunError`, `busy`, where another
        process does.
        """
        connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        query = text("SELECT pg_try_advisory_lock(hashtextextended(:study, 0))")
        until = time.monotonic() + RELEASE
        while not connection.execute(query, {"study": self.place.study}).scalar():
            if time.monotonic() > until:
                connection.close()
                raise RunError(f"{self.place.address}: another process is {busy}")
            time.sleep(RELEASE / 20)
        self._lock = connection

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """As Optuna's; a trial that arrived although its answer did not is that trial."""
        known = self.get_n_trials(study_id)

        def create() -> int:
            if self.get_n_trials(study_id) > known:
                return self.get_trial_id_from_study_id_trial_number(study_id, known)
            return RDBStorage.create_new_trial(self, study_id, template_trial)

        return self._patiently(create)

    def remove_session(self) -> None:
        """Let go of the lock too."""
        if self._lock is not None:
            # The connection ends, and with it the lock: back in the pool it would keep it.
            with suppress(SQLAlchemyError):
                self._lock.invalidate()
                self._lock.close()
            self._lock = None
        super().remove_session()

    def _patient(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def patient(*args: Any, **kwargs: Any) -> Any:
            return self._patiently(lambda: write(*args, **kwargs))

        return patient

    def _patiently(self, act: Callable[[], AnswerT]) -> AnswerT:
        """Do it, again and again while the server does not answer."""
        until, again = time.monotonic() + PATIENCE, False
        while True:
            try:
                if again:
                    self._return()
                return act()
            except UpdateFinishedTrialError:
                if not again:
                    raise
                return None  # type: ignore[return-value]  # it had arrived
            except (StorageInternalError, SQLAlchemyError) as error:
                if not _gone(error) or time.monotonic() > until:
                    raise
            if not again:
                fact = f"{self.place.address} does not answer"
                warnings.warn(f"{fact}; waiting {PATIENCE:.0f} s at most", stacklevel=2)
            again = True
            time.sleep(PAUSE)

    def _return(self) -> None:
        """Connect anew, and take the lock again, which the server has forgotten."""
        held = self._lock is not None
        self.remove_session()
        self.engine.dispose()
        if held:
            self.hold("searching there since the server was started again")


def _gone(error: BaseException | None) -> bool:
    """Whether the server is the cause, and not what it was asked."""
    while error is not None:
        if isinstance(error, OperationalError | InterfaceError):
            return True
        error = error.__cause__ or error.__context__
    return False


def hold_postgresql(storage: BaseStorage, busy: str) -> None:
    """Hold the lock of a study that is written to. Errors: `RunError`."""
    assert isinstance(storage, PatientStorage)
    storage.hold(busy)
