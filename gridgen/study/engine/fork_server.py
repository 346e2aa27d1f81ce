"""A process that has torch and gridgen imported, and forks one child for each training.

`python -m gridgen.study.engine.fork_server FD`, with a socket to the driver. Importing takes one to
three seconds, which each child would take anew. The driver sends a line for each training, with the
child's ends of a channel and a log; the server answers with the child's process, and with its
exit status. When the socket closes the driver is gone, however it died: all children are killed
with their own processes, also those that are stopped, and the server ends.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import traceback
from typing import NoReturn

# Imported for the children, which find it there.
from gridgen.study.engine.worker import run_job
from gridgen.training.processes.devices import die_with_parent

LINE = 4096
STOPS = (signal.SIGINT, signal.SIGTERM)
PRELOADED = ("torch._dynamo", "matplotlib.backends.backend_agg", "matplotlib.figure")
"""What a training imports late, and would import in every child. None of it starts a thread or
touches CUDA, which a fork would not have.
"""


class ForkServer:
    """Forks children on request, and tells of their ends."""

    def __init__(self, driver: socket.socket) -> None:
        self.driver = driver
        self.children: dict[int, int] = {}
        # A child that ends wakes the server, which waits for the driver.
        self.woken, self.waker = socket.socketpair()
        for end in (self.woken, self.waker):
            end.setblocking(False)
        signal.set_wakeup_fd(self.waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in STOPS:
            signal.signal(number, signal.SIG_IGN)

    def serve(self) -> None:
        """Answer the driver until it is gone."""
        while True:
            ready, _, _ = select.select([self.driver, self.woken], [], [])
            if self.woken in ready:
                with contextlib.suppress(BlockingIOError):
                    self.woken.recv(LINE)
                self._reap()
            if self.driver in ready and not self._answer():
                return self.end()

    def _answer(self) -> bool:
        """Fork a child for the driver's next line; False if the driver is gone."""
        try:
            line, handles, _, _ = socket.recv_fds(self.driver, LINE, 2)
        except OSError:
            return False
        if not line:
            return False
        channel, log = handles
        number = int(line)
        # A signal for the child waits until the child no longer ignores it as the server does.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        child = os.fork()
        if child == 0:
            self._become_child(channel, log)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        for handle in handles:
            os.close(handle)
        self.children[child] = number
        self._tell({"begun": number, "process": child})
        return True

    def _become_child(self, channel: int, log: int) -> NoReturn:
        """What the forked process does: one training."""
        code = 70
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, *STOPS):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
            # A session of its own: whoever kills it kills the processes that load its images.
            os.setsid()
            # The server, should it be killed, cannot end its children any more.
            die_with_parent()
            for handle in (self.driver, self.woken, self.waker):
                handle.close()
            os.dup2(log, sys.stdout.fileno())
            os.dup2(log, sys.stderr.fileno())
            os.close(log)
            with open(os.dup(channel), encoding="utf-8") as told:
                job = json.loads(told.readline())
            _end_with_the_driver(channel)
            with open(channel, "w", encoding="utf-8") as out:
                code = run_job(job, out)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            # Nothing of the server's may run at its exit.
            os._exit(code)

    def _reap(self) -> None:
        while self.children:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if child == 0:
                return
            number = self.children.pop(child, None)
            if number is not None:
                # Processes that load its images hold the lock of its folder.
                _kill(child)
                self._tell({"ended": number, "code": os.waitstatus_to_exitcode(status)})

    def _tell(self, message: dict[str, int]) -> None:
        with contextlib.suppress(OSError):
            self.driver.sendall(f"{json.dumps(message)}\n".encode())

    def end(self) -> None:
        """Kill all children and the processes that they have begun."""
        for child in self.children:
            _kill(child)
        for child in self.children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)


def _kill(child: int) -> None:
    """Kill a child and the processes that it has begun, as far as there are any."""
    # The last thing that macOS says of a group whose processes have all ended is a refusal.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def _end_with_the_driver(channel: int) -> None:
    """End this process and those that it has begun where the other end of the channel is closed.

    The server does so too, but it may have been stopped.
    """

    def wait() -> None:
        closed = select.poll()
        closed.register(channel, select.POLLHUP)
        closed.poll()
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    for name in PRELOADED:
        importlib.import_module(name)
    ForkServer(socket.socket(fileno=int(sys.argv[1]))).serve()
