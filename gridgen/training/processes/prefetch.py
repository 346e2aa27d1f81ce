"""Prefetching: processes of their own load items before they are needed, in order.

Each process has its own pipe and shares no lock with another: one that is killed, by a machine out
of memory above all, takes nothing with it, and that it has ended is told where its result is waited
for. (torch's DataLoader tells it by a signal, in whatever line runs then, and may wait for ever for
a lock that the dead process held.)
"""

import atexit
import pickle
import sys
import traceback
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing, suppress
from itertools import cycle, islice
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

import torch
from torch import multiprocessing

from gridgen.errors import OutOfMemoryError, TrainingError, ending
from gridgen.training.processes.devices import leave_signals_to_the_parent

EACH = 2
"""Number of results that a process has ready or in the making."""
# A process that is forked has torch already; elsewhere forks are not safe.
METHOD = "fork" if sys.platform == "linux" else "spawn"
PATIENCE_SECONDS = 5

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def prefetch(
    load: Callable[[_Item], _Result], items: Sequence[_Item], workers: int
) -> Generator[_Result, None, None]:
    """`load(item)` of every item, in order, by `workers` processes; 0: here, when it is asked for.

    Errors: what `load` raises; `TrainingError` where a process has ended.
    """
    if not workers:
        yield from map(load, items)
        return
    with ExitStack() as running:
        count = min(workers, len(items))
        team = [running.enter_context(closing(LoadingProcess(load))) for _ in range(count)]
        turns = zip(items, cycle(team))
        asked = deque(worker.asked(item) for item, worker in islice(turns, EACH * count))
        while asked:
            result = asked.popleft().result()
            asked.extend(worker.asked(item) for item, worker in islice(turns, 1))
            yield result


class LoadingProcess(Generic[_Item, _Result]):
    """A process that loads what it is asked for; its results come in the order of the questions."""

    def __init__(self, load: Callable[[_Item], _Result]) -> None:
        context: Any = multiprocessing.get_context(METHOD)
        self.pipe, other_end = context.Pipe()
        ends = other_end, self.pipe
        self.process = context.Process(target=_serve, args=(load, *ends), daemon=True)
        # A program that is interrupted before `close` would wait for a process that it cannot end.
        atexit.register(self.close)
        self.process.start()
        other_end.close()  # so that the pipe ends with the process

    def asked(self, item: _Item) -> "LoadingProcess[_Item, _Result]":
        """Ask for one more item; returns the process itself."""
        with suppress(OSError):  # one that has ended says so when its result is wanted
            self.pipe.send(item)
        return self

    def result(self) -> _Result:
        """The oldest result not yet taken. Errors: those of `prefetch`."""
        try:
            result = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(PATIENCE_SECONDS)
            code = self.process.exitcode
            if code is None:
                raise
            kind = OutOfMemoryError if code < 0 else TrainingError
            fact = f"A process that loads images ended with {ending(code)}"
            raise kind(f"{fact}. Lower workers in the recipe.") from None
        if isinstance(result, Exception):
            raise result
        return result  # type: ignore[no-any-return]

    def close(self) -> None:
        """Kill the process. It only reads, so nothing is lost."""
        if self.process.pid is not None:
            self.process.kill()
            self.process.join()
        self.pipe.close()
        atexit.unregister(self.close)


def _serve(load: Callable[[Any], Any], pipe: Connection, parents_end: Connection) -> None:
    leave_signals_to_the_parent()
    parents_end.close()  # a fork has it too, and the pipe would not end with the parent
    # Each process loads one image at a time; more threads would fight for the cores.
    torch.set_num_threads(1)
    with suppress(EOFError, OSError):  # whoever asked is gone
        while True:
            item = pipe.recv()
            try:
                result = load(item)
            except Exception as error:
                result = _portable(error)
            try:
                pipe.send(result)
            except RuntimeError as error:  # shared memory has run out
                pipe.send(_portable(error))


def _portable(error: Exception) -> Exception:
    """`error` as a pipe can carry it, with a note of where it was."""
    where = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"In a process that loads images:\n{where}")
    return error
