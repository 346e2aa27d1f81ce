"""The losses of a training, and steps.csv: loss and pace every few steps, line after line."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from gridgen.errors import FileError, TrainingError
from gridgen.files import write_file
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
        text = self.path.read_text("utf-8", errors="replace")
        # What follows the last newline is empty, or torn. splitlines would keep it.
        lines = text.split("\n")[1:-1]
        return [row for row in map(_row, lines) if row is not None]

    def cut(self, step: int) -> None:
        """Begin anew, or go on after `step`."""
        kept = [_line(row) for row in self.rows() if row["step"] <= step]
        write_file(self.path, "".join([",".join(COLUMNS) + "\n", *kept]))

    def add(self, row: StepRow) -> None:
        """Append a line. Errors: `FileError`."""
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(_line(row))
        except OSError as error:
            raise FileError(f"{self.path}: cannot be written: {error.strerror or error}") from error


def _row(line: str) -> StepRow | None:
    """Parse a line; None where it is torn."""
    try:
        return dict(zip(COLUMNS, map(float, line.split(",")), strict=True))
    except ValueError:
        return None


def _line(row: StepRow) -> str:
    """Losses and rates to the last bit, so that two runs can be compared; the pace is rounded."""
    exact = (f"{row['step']:.0f}", repr(row["learning_rate"]), repr(row["loss"]))
    return ",".join([*exact, f"{row['images_per_second']:.2f}", f"{row['waiting']:.4f}"]) + "\n"
