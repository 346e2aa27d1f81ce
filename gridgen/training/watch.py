"""Who is told how a training goes: nobody, a terminal, or a log that is no terminal."""

import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from gridgen.training.run import Row
from gridgen.training.tasks import Metric

PLAIN_SECONDS = 10.0


Tick = Callable[[int, int], None]
"""Told (done, total) by what works through a list."""


class Watch:
    """Told of every step and every validation of a training. This one tells nobody."""

    def started(self, total: int, done: int, metric: Metric) -> None:
        """Training begins: `total` steps, of which `done` were made before; judged by `metric`."""

    def stepped(self, step: int, loss: float) -> None:
        """Step `step` (from 1) is done."""

    def scored(self, row: Row) -> None:
        """An epoch was validated; `row` is its line of metrics.csv."""

    def finished(self) -> None:
        """No more will come."""


class Terminal(Watch):
    """A bar on stderr with loss, metric and time left; plain lines where it is no terminal."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.plain = not self.console.is_terminal
        self.reached, self.total, self.last = "-", 0, time.monotonic()
        self.bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}  {task.fields[title]} {task.fields[reached]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            disable=self.plain,
        )

    def started(self, total: int, done: int, metric: Metric) -> None:
        """Show the bar."""
        self.total, self.first, self.begun = total, done, time.monotonic()
        self.metric = metric
        self.task = self.bar.add_task(
            "", total=total, completed=done, loss="-", title=metric.title, reached="-"
        )
        self.bar.start()

    def stepped(self, step: int, loss: float) -> None:
        """Move the bar, or print a line every ten seconds."""
        self.bar.update(self.task, completed=step, loss=f"{loss:.3f}", reached=self.reached)
        now = time.monotonic()
        if self.plain and now - self.last > PLAIN_SECONDS:
            self.last = now
            left = (now - self.begun) / (step - self.first) * (self.total - step)
            print(f"step {step}/{self.total}  loss {loss:.3f}  {left:.0f} s left", file=sys.stderr)

    def scored(self, row: Row) -> None:
        """Show what was reached."""
        self.reached = self.metric.brief(row[self.metric.val])
        line = f"epoch {row['epoch']:.0f}  loss {row['loss']:.3f}  "
        line += f"val {self.metric.title} {self.reached}"
        if self.plain:
            print(line, file=sys.stderr)
        else:
            self.bar.console.print(line, highlight=False)

    def finished(self) -> None:
        """Leave the bar."""
        self.bar.stop()
