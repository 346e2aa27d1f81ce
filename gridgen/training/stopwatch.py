"""How fast a training goes, and how long it waits for images."""

import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

Item = TypeVar("Item")


class Pace(NamedTuple):
    """How fast a training goes."""

    images_per_second: float
    waiting: float
    """Share of the time, 0..1, that went by without a batch to work on."""


class Stopwatch:
    """Measures the pace between two looks, validations and checkpoints left out."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget what was measured."""
        self._begun, self._waited, self._batches = time.monotonic(), 0.0, 0

    def timed(self, batches: Iterable[Item]) -> Iterator[Item]:
        """The same batches; the time until each is there was spent waiting."""
        source = iter(batches)
        while True:
            asked = time.monotonic()
            try:
                batch = next(source)
            except StopIteration:
                return
            self._waited += time.monotonic() - asked
            self._batches += 1
            yield batch

    def pace(self, batch: int) -> Pace:
        """Since the last restart, for batches of so many images over all processes."""
        took = max(time.monotonic() - self._begun, 1e-9)
        return Pace(batch * self._batches / took, min(self._waited / took, 1.0))
