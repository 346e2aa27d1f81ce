"""Ctrl-C and SIGTERM: finish the step, save, then leave."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Request:
    """Whether a signal asked for a stop; 0 or its number."""

    signal = 0


@contextmanager
def stop_requests() -> Iterator[Request]:
    """Collect SIGINT and SIGTERM instead of dying of them; a second Ctrl-C is obeyed at once."""
    request = Request()

    def note(number: int, _frame: FrameType | None) -> None:
        if request.signal == signal.SIGINT == number:
            raise KeyboardInterrupt
        request.signal = number

    numbers = (signal.SIGINT, signal.SIGTERM)
    try:
        before = {number: signal.signal(number, note) for number in numbers}
    except ValueError:  # not in the main thread: whoever runs us decides
        yield request
        return
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
