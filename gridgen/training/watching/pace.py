"""The pace of a training, the time it waits for images, and advice where that is long."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from gridgen.training.processes import devices
from gridgen.training.run.steplog import StepRow

_Item = TypeVar("_Item")


class Pace(NamedTuple):
    """Images per second, and the time spent waiting for them."""

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

    def timed(self, batches: Iterable[_Item]) -> Iterator[_Item]:
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
        """The pace since the last restart, for batches of so many images over all processes."""
        took = max(time.monotonic() - self._begun, 1e-9)
        return Pace(batch * self._batches / took, min(self._waited / took, 1.0))


TOO_MUCH = 0.2
"""Share of the time spent waiting for data from which on it is worth a word."""


class _Stretch(NamedTuple):
    """The steps of a line of steps.csv, and what each of them took, in seconds per image."""

    steps: float
    seconds: float
    waited: float


def pace_text(pace: StepRow) -> str:
    """Images per second, and the share of the time that went by waiting for data.

    >>> pace_text({"images_per_second": 11.27, "waiting": 0.0629})
    '11.3 images/s, 6% waiting for data'
    """
    return f"{_rate(pace['images_per_second'])} images/s, {pace['waiting']:.0%} waiting for data"


def overall(rows: Sequence[StepRow], first: int = 0) -> Pace | None:
    """The pace of all steps from `first` on together; None where no line was written.

    A line's pace is that of the steps since the last line or validation, and stands for all of
    its steps. Validations and checkpoints are left out.
    """
    stretches = list(_stretches(rows, first))
    time = sum(each.steps * each.seconds for each in stretches)
    waited = sum(each.steps * each.waited for each in stretches)
    return Pace(sum(each.steps for each in stretches) / time, waited / time) if time else None


def _stretches(rows: Sequence[StepRow], first: int) -> Iterator[_Stretch]:
    before = float(first)
    for row in rows:
        seconds = 1 / max(row["images_per_second"], 1e-9)
        yield _Stretch(row["step"] - before, seconds, seconds * row["waiting"])
        before = row["step"]


def bottleneck(rows: Sequence[StepRow], workers: int, first: int = 0) -> str | None:
    """A lint: that images are loaded more slowly than they are learnt from, and what to change."""
    pace = overall(rows, first)
    if pace is None or pace.waiting <= TOO_MUCH:
        return None
    fact = f"{pace.waiting:.0%} of the time was spent waiting for data"
    cores = devices.cores()
    smaller = "store smaller images: crops are cut from them and resized"
    if workers >= cores:
        return f"{fact}, though {workers} workers load it on {cores} cores; {smaller}"
    return f"{fact}; raise workers in the recipe (now {workers}; {cores} cores), or {smaller}"


def _rate(value: float) -> str:
    """Three digits, and no exponent."""
    return f"{value:#.3g}".rstrip(".") if value < 999.5 else f"{value:.0f}"
