"""The driver's side of the fork server: processes are begun, spoken with, stopped and told of."""

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from gridgen.files import make_folder
from gridgen.study.engine.messages import TRIAL, Message
from gridgen.study.engine.oom import out_of_memory_kills
from gridgen.training.processes import devices

LAST_WORDS_SECONDS = 5.0
"""How long the channel of a process that has ended may stay open, in one that it had begun."""


class Processes:
    """Processes of this machine, as `TrainingProcesses`. `places` of them share the cores, with so
    many threads each.
    """

    def __init__(self, threads: int, places: int) -> None:
        self.threads, self.places = threads, places
        self._server: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._selector = selectors.DefaultSelector()
        self._channels: dict[int, socket.socket] = {}
        self._rest: dict[int | None, bytes] = {}
        self._process: dict[int, int] = {}
        self._waiting: list[Message] = []
        # The kernel's kills for want of memory: when each process began, and those accounted for.
        self._kills: dict[int, int] = {}
        self._accounted = 0

    def begin(self, number: int, job: dict[str, Any], log: Path) -> None:
        """Begin a process that does a job; what it prints goes to `log`."""
        server = self._serving()
        make_folder(log.parent)
        self._kills[number] = out_of_memory_kills()
        ours, theirs = socket.socketpair()
        with theirs, open(log, "ab") as file:
            socket.send_fds(server, [str(number).encode()], [theirs.fileno(), file.fileno()])
        self._await_begun(number)
        self._channels[number] = ours
        self._rest[number] = b""
        self._selector.register(ours, selectors.EVENT_READ, number)
        with contextlib.suppress(OSError):
            ours.sendall(f"{json.dumps({**job, 'threads': self.threads})}\n".encode())

    def messages(self, seconds: float | None = None) -> list[Message]:
        """What processes have said, waiting for so long at most; none where nothing was said."""
        found, self._waiting = self._waiting, []
        if found:
            return found
        for key, _ in self._selector.select(seconds):
            found += self._read(key.data)
        return found

    def signal(self, number: int, which: signal.Signals) -> None:
        """Send a signal to a process, and but for SIGTERM to those that it has begun."""
        process = self._process.get(number)
        if process is None:
            return
        # Just after its begin it has no group of its own yet.
        for send in (os.kill,) if which == signal.SIGTERM else (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError):
                send(process, which)
                return

    @contextlib.contextmanager
    def held(self, numbers: Iterable[int]) -> Iterator[None]:
        """Stop these processes meanwhile, with those that they have begun."""
        stopped = [*numbers]
        try:
            for number in stopped:
                self.signal(number, signal.SIGSTOP)
            yield
        finally:
            for number in stopped:
                self.signal(number, signal.SIGCONT)

    def close(self) -> None:
        """End the server, which kills what still runs."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()
        self._process.clear()
        if self._socket is not None:
            self._socket.close()
        if self._server is not None:
            self._server.wait()
        self._server = self._socket = None

    def _serving(self) -> socket.socket:
        """The socket of the server, which is begun where there is none."""
        if self._socket is not None:
            return self._socket
        ours, theirs = socket.socketpair()
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "gridgen.study.engine.fork_server", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                # Ctrl-C in a terminal is for the driver, which ends the others in order.
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self._environment()},
            )
        self._socket, self._rest[None] = ours, b""
        self._selector.register(ours, selectors.EVENT_READ, None)
        return ours

    def _environment(self) -> dict[str, str]:
        # By the last, processes that load images share the cores as well.
        shares = {"OMP_NUM_THREADS": str(self.threads), "LOCAL_WORLD_SIZE": str(self.places)}
        return {TRIAL: "1", **shares}

    def _await_begun(self, number: int) -> None:
        while number not in self._process:
            if self._socket is None:
                self._waiting.append(self._ended(number, -signal.SIGKILL))
                return
            self._waiting += self._read(None)
        self._waiting.append(Message(number, {"begun": True}))

    def _read(self, number: int | None) -> list[Message]:
        """What a process, or None for the server, has said since it was last asked."""
        channel = self._socket if number is None else self._channels.get(number)
        if channel is None:
            return []
        try:
            content = channel.recv(65536)
        except OSError:
            content = b""
        if not content:
            return self._gone(number)
        *lines, self._rest[number] = (self._rest[number] + content).split(b"\n")
        if number is not None:
            return [Message(number, json.loads(line)) for line in lines]
        return [message for line in lines for message in self._served(json.loads(line))]

    def _served(self, said: dict[str, int]) -> Iterator[Message]:
        """What the server says: that a process has begun, or that it has ended."""
        if "begun" in said:
            self._process[said["begun"]] = said["process"]
            return
        number = said["ended"]
        yield from self._drained(number)
        self._process.pop(number, None)
        yield self._ended(number, said["code"])

    def _ended(self, number: int, code: int) -> Message:
        """That it has ended, and whether the kernel has killed for want of memory since it began;
        each of these kills is told once.
        """
        before, now = max(self._accounted, self._kills.pop(number)), out_of_memory_kills()
        if code != -signal.SIGKILL or now <= before:
            return Message(number, {"code": code})
        self._accounted = before + 1
        return Message(number, {"code": code, "starved": True})

    def _drained(self, number: int) -> Iterator[Message]:
        """What a process said before its end and was not read yet.

        The channel is closed when processes that it had begun have ended too: until then these
        hold the lock of its folder.
        """
        until = time.monotonic() + LAST_WORDS_SECONDS
        while number in self._channels and (left := until - time.monotonic()) > 0:
            self._channels[number].settimeout(left)
            yield from self._read(number)

    def _gone(self, number: int | None) -> list[Message]:
        """The other end of a channel is closed: a process's, or that of the server itself."""
        if number is not None:
            channel = self._channels.pop(number)
            self._selector.unregister(channel)
            channel.close()
            return []
        assert self._socket is not None
        self._selector.unregister(self._socket)
        self._socket.close()
        self._socket = None
        found = []
        for each in [*self._process]:
            # The kernel kills its children, but not everywhere, and not what they have begun.
            self.signal(each, signal.SIGKILL)
            found += [*self._drained(each), self._ended(each, -signal.SIGKILL)]
        self._process.clear()
        if self._server is not None:
            self._server.wait()
            self._server = None
        return found


def threads(places: int) -> int:
    """Threads of each of so many trainings at once: the cores are divided among them.

    OMP_NUM_THREADS, where it is set, is the most that each may have.
    """
    share = max(1, devices.cores() // places)
    most = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(share, int(most))) if most.isdecimal() else share
