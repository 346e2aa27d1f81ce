import sqlite3

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine


@pytest.fixture(scope="session", autouse=True)
def _no_flush_to_disk():
    """No power cut is tested here, and fifteen of sqlite's flushes a trial take most of the time.

    Child processes and processes that tests start have it as users do.
    """

    def relax(connection, _record) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", relax)
    yield
    event.remove(Engine, "connect", relax)
