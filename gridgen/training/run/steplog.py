"""Losses and pace of a training, and steps.csv, which holds both every few steps."""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from gridgen.errors import FileError, TrainingError, reason_of
from gridgen.files import read_text, write_file
from gridgen.names import csv_text
from gridgen.training.processes import devices

EVERY = 20
"""Steps from one look at the device to the next; each look waits until it is done."""


@dataclass
class Losses:
    """Sums since the last validation and since the last line of steps.csv.

    Losses stay on the device until `fetch`; what is added up, and in which order, does not depend
    on when that happens.
    """

    total: float = 0.0
    steps: int = 0
    recent: list[float] = field(default_factory=list)
    _pending: list[Tensor] = field(default_factory=list)

    def add(self, loss: Tensor) -> None:
        """The loss of a step, this process's share of it."""
        self._pending.append(loss)

    def fetch(self, step: int) -> None:
        """Wait for the device, after `step` steps. Errors: `TrainingError` for no number."""
        if not self._pending:
            return
        stacked = devices.summed(torch.stack(self._pending)) / devices.world_size()
        self._pending.clear()
        values = stacked.tolist()
        for number, value in enumerate(values, step - len(values) + 1):
            if not math.isfinite(value):
                fact = f"The loss is {value} at step {number}"
                raise TrainingError(f"{fact}. Lower learning_rate in the recipe.")
            self.total += value
        self.steps += len(values)
        self.recent += values

    def mean(self) -> float:
        """Mean loss since the last validation; the sum begins anew."""
        mean, self.total, self.steps = self.total / max(self.steps, 1), 0.0, 0
        return mean

    def mean_of_recent(self) -> float:
        """Mean loss since this was last asked."""
        mean, self.recent = sum(self.recent) / max(len(self.recent), 1), []
        return mean


COLUMNS = ("step", "learning_rate", "loss", "images_per_second", "waiting")
StepRow = dict[str, float]


class StepLog:
    """The file of a run. A line that is torn, by a kill or a power cut, is passed over."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> list[StepRow]:
        """The rows that have been written, in order."""
        if not self.path.is_file():
            return []
        text = read_text(self.path, errors="replace")
        # What follows the last newline is empty, or torn. splitlines would keep it.
        lines = text.split("\n")[1:-1]
        return [row for row in map(_row, lines) if row is not None]

    def cut(self, step: int) -> None:
        """Begin anew, or go on after `step`."""
        kept = [_line(row) for row in self.rows() if row["step"] <= step]
        write_file(self.path, "".join([csv_text([COLUMNS]), *kept]))

    def add(self, row: StepRow) -> None:
        """Append a line. Errors: `FileError`."""
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(_line(row))
        except OSError as error:
            raise FileError(f"{self.path}: cannot be written: {reason_of(error)}") from error


def _row(line: str) -> StepRow | None:
    """Parse a line; None where it is torn."""
    try:
        return dict(zip(COLUMNS, map(float, line.split(",")), strict=True))
    except ValueError:
        return None


def _line(row: StepRow) -> str:
    """Losses and rates to the last bit, so that two runs can be compared; the pace is rounded."""
    exact = (f"{row['step']:.0f}", repr(row["learning_rate"]), repr(row["loss"]))
    return csv_text([[*exact, f"{row['images_per_second']:.2f}", f"{row['waiting']:.4f}"]])


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
        asked = time.monotonic()
        for batch in batches:
            self._waited += time.monotonic() - asked
            self._batches += 1
            yield batch
            asked = time.monotonic()

    def pace(self, batch: int) -> Pace:
        """The pace since the last restart, for batches of so many images over all processes."""
        took = max(time.monotonic() - self._begun, 1e-9)
        return Pace(batch * self._batches / took, min(self._waited / took, 1.0))


TOO_MUCH = 0.2
"""Share of the time spent waiting for data from which on it is worth a word."""


def pace_text(pace: StepRow) -> str:
    """Images per second, and the share of the time that went by waiting for data.

    >>> pace_text({"images_per_second": 11.27, "waiting": 0.0629})
    '11.3 images/s, 6% waiting for data'
    """
    rate = pace["images_per_second"]
    # Three digits, and no exponent.
    shown = f"{rate:#.3g}".rstrip(".") if rate < 999.5 else f"{rate:.0f}"
    return f"{shown} images/s, {pace['waiting']:.0%} waiting for data"


def overall(rows: Sequence[StepRow], first: int = 0) -> Pace | None:
    """The pace of all steps from `first` on together; None where no line was written.

    A line's pace is that of the steps since the last line or validation, and stands for all of
    its steps. Validations and checkpoints are left out.
    """
    # Seconds for one image of each batch, as no row tells how many images a batch has.
    before, took, waited = float(first), 0.0, 0.0
    for row in rows:
        stretch = (row["step"] - before) / max(row["images_per_second"], 1e-9)
        before, took, waited = row["step"], took + stretch, waited + stretch * row["waiting"]
    return Pace((before - first) / took, waited / took) if took else None


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
