"""Ctrl-C and SIGTERM: finish the step, save, then leave; when all is done, change nothing."""

import atexit
import ctypes
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM)
PR_SET_PDEATHSIG = 1


class Request:
    """A request to stop: the number of the signal that asked for it, or 0."""

    signal = 0


@contextmanager
def stop_requests() -> Iterator[Request]:
    """Collect SIGINT and SIGTERM instead of dying of them; a second Ctrl-C is obeyed at once."""
    request = Request()

    def note(number: int, _frame: FrameType | None) -> None:
        # The second Ctrl-C must get through where a step hangs and never looks at the request.
        if request.signal == signal.SIGINT == number:
            raise KeyboardInterrupt
        request.signal = number

    try:
        before = {number: signal.signal(number, note) for number in NUMBERS}
    except ValueError:  # not in the main thread: whoever runs us decides
        yield request
        return
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_signals_to_the_parent() -> None:
    """For a process that loads images: a signal must not end it before the step is saved.

    It ends with its parent, however that dies (Linux); else it would hold the run's lock for
    seconds, and a resume at once would be refused.
    """
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def nothing_left_to_stop() -> Iterator[None]:
    """From here to exit, ignore SIGINT and SIGTERM.

    The run is complete, and a late signal must not change the exit code: Python takes about a
    second to leave after torch.
    """
    for number in NUMBERS:
        atexit.register(signal.signal, number, signal.SIG_IGN)
    with stop_requests():
        yield
