"""What processes of their own load ahead of its use, in order.

Each process has its own pipe and shares no lock with another: one that is killed, by a machine out
of memory above all, takes nothing with it, and that it has ended is told where its result is waited
for. (torch's DataLoader tells it by a signal, in whatever line runs then, and may wait for ever for
a lock that the dead process held.)
"""

import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, closing, suppress
from itertools import cycle, islice
from typing import Any, Generic, TypeVar

import torch
from torch import multiprocessing

from gridgen.errors import TrainingError
from gridgen.training.interrupts import leave_signals_to_the_parent

EACH = 2
"""How many results a process has ready or in the making."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    load: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[Result, None, None]:
    """`load(item)` of every item, in order, by `workers` processes; 0: here, when it is asked for.

    Errors: what `load` raises; `TrainingError` where a process has ended.
    """
    if not workers:
        yield from map(load, items)
        return
    with ExitStack() as open_workers:
        team = [open_workers.enter_context(closing(Worker(load))) for _ in range(workers)]
        turns = zip(items, cycle(team))
        asked = deque(worker.asked(item) for item, worker in islice(turns, EACH * workers))
        while asked:
            result = asked.popleft().result()
            asked.extend(worker.asked(item) for item, worker in islice(turns, 1))
            yield result


class Worker(Generic[Item, Result]):
    """A process that loads what it is asked for; its results come in the order of the questions."""

    def __init__(self, load: Callable[[Item], Result]) -> None:
        context = multiprocessing.get_context()
        self.pipe, other_end = context.Pipe()
        self.process = context.Process(target=_serve, args=(load, other_end), daemon=True)
        self.process.start()
        other_end.close()  # so that the pipe ends with the process

    def asked(self, item: Item) -> "Worker[Item, Result]":
        """The worker itself, with one more to load."""
        with suppress(OSError):  # one that has ended says so when its result is wanted
            self.pipe.send(item)
        return self

    def result(self) -> Result:
        """The oldest result not yet taken. Errors: those of `ahead`."""
        try:
            result = self.pipe.recv()
        except (EOFError, OSError) as error:
            raise TrainingError(
                "A process that loads images has ended; memory may have run out. "
                "Lower workers in the recipe."
            ) from error
        if isinstance(result, Exception):
            raise result
        return result  # type: ignore[no-any-return]

    def close(self) -> None:
        """It only reads: nothing is lost when it is killed."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _serve(load: Callable[[Any], Any], pipe: Any) -> None:
    leave_signals_to_the_parent()
    torch.set_num_threads(1)
    with suppress(EOFError, OSError):  # whoever asked is gone
        while True:
            item = pipe.recv()
            try:
                pipe.send(load(item))
            except Exception as error:
                error.add_note(f"In a process that loads images:\n{traceback.format_exc()}")
                pipe.send(error)
