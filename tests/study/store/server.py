"""A PostgreSQL server of our own, where one is installed."""

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path
from socket import socket

import pytest

FOLDERS = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/bin"))
BIN = next((each for each in FOLDERS if (each / "initdb").is_file()), None)
USER = "nobody"

needs_server = pytest.mark.skipif(
    BIN is None or os.name != "posix", reason="PostgreSQL is not installed (Debian: postgresql)"
)


class Server:
    """Started, stopped and started again on one port, its data kept."""

    def __init__(self, folder: Path) -> None:
        self.data, self.port = folder / "data", _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        # The server refuses to run as root.
        self.as_user = (
            {"user": USER, "group": pwd.getpwnam(USER).pw_gid} if not os.geteuid() else {}
        )
        if self.as_user:
            shutil.chown(folder, USER)
        options = ["-D", self.data, "-U", "gridgen", "-A", "trust", "--no-sync"]
        subprocess.run([BIN / "initdb", *options], check=True, capture_output=True, **self.as_user)

    @property
    def address(self) -> str:
        return f"postgresql://gridgen@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open(self.data.parent / "log", "ab") as log:
            self.process = subprocess.Popen(
                [BIN / "postgres", "-D", self.data, *options],
                stdout=log,
                stderr=log,
                **self.as_user,
            )
        ready = [BIN / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        until = time.monotonic() + 60
        while subprocess.run(ready, check=False).returncode:
            assert time.monotonic() < until, (self.data.parent / "log").read_text("utf-8")
            time.sleep(0.05)

    def stop(self, kill: bool = False) -> None:
        """Close all connections and end, or end as in a power cut."""
        if self.process is not None:
            # SIGINT is a fast shutdown, SIGQUIT an immediate one, after which the log is replayed.
            self.process.send_signal(3 if kill else 2)
            self.process.wait()
            self.process = None

    def ask(self, query: str) -> list[tuple]:
        import psycopg

        with psycopg.connect(self.address, autocommit=True) as connection:
            found = connection.execute(query)
            return found.fetchall() if found.description else []


def _free_port() -> int:
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
