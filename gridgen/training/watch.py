"""Who is told how a training goes: nobody, a terminal, or a log that is no terminal."""

import sys
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from gridgen.training.pace import bottleneck, pace_text
from gridgen.training.run import Row
from gridgen.training.steplog import StepRow
from gridgen.training.tasks import Metric

PLAIN_SECONDS = 10.0


Tick = Callable[[int, int], None]
"""Told (done, total) by what works through a list."""


class Watch:
    """Told of every step and every validation of a training. This one tells nobody."""

    def counted(self, done: int, total: int) -> None:
        """So many training labels were counted, for the weights of the classes."""

    def started(self, total: int, done: int, metric: Metric, workers: int) -> None:
        """Training begins: `total` steps, of which `done` were made before; judged by `metric`.

        `workers` processes load images.
        """

    def stepped(self, step: int) -> None:
        """Step `step` (from 1) is done; its loss may not be known yet."""

    def paced(self, row: StepRow) -> None:
        """Some steps are done; `row` is their line of steps.csv."""

    def scored(self, row: Row) -> None:
        """An epoch was validated; `row` is its line of metrics.csv."""

    def finished(self) -> None:
        """No more will come."""


class Terminal(Watch):
    """A bar on stderr with loss, metric, pace and time left; plain lines where it is no terminal."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.plain = not self.console.is_terminal
        self.last, self.rows = time.monotonic(), list[StepRow]()
        self.shown: dict[str, Any] = {"loss": "-", "title": "", "reached": "-", "pace": ""}
        self.bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}  {task.fields[title]} {task.fields[reached]}"),
            TextColumn("{task.fields[pace]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            disable=self.plain,
        )

    def counted(self, done: int, total: int) -> None:
        """A line now and then."""
        if self._due() or done == total:
            self._line(f"counting labels for the weights of the classes: {done}/{total}")

    def started(self, total: int, done: int, metric: Metric, workers: int) -> None:
        """Show the bar."""
        self.total, self.first, self.begun = total, done, time.monotonic()
        self.metric, self.workers = metric, workers
        self.shown["title"] = metric.title
        self.task = self.bar.add_task("", total=total, completed=done, **self.shown)
        self.bar.start()

    def stepped(self, step: int) -> None:
        """Move the bar, or print a line every ten seconds."""
        self.bar.update(self.task, completed=step, **self.shown)
        if self.plain and self._due():
            seconds = (time.monotonic() - self.begun) / (step - self.first) * (self.total - step)
            told = f"step {step}/{self.total}  loss {self.shown['loss']}"
            self._line(f"{told}  {self.shown['pace'] or '-'}  {_duration(seconds)} left")

    def paced(self, row: StepRow) -> None:
        """Show it from now on."""
        self.rows.append(row)
        self.shown |= {"loss": f"{row['loss']:.3f}", "pace": pace_text(row)}

    def scored(self, row: Row) -> None:
        """Show what was reached."""
        metric = self.metric
        self.shown["reached"] = metric.brief(row[metric.val])
        line = f"epoch {row['epoch']:.0f}  loss {row['loss']:.3f}  "
        line += f"val {metric.title} {self.shown['reached']}"
        if metric.holdout in row:
            line += f"  held out {metric.brief(row[metric.holdout])}"
        self._line(line)

    def finished(self) -> None:
        """Leave the bar; say what held the training up."""
        self.bar.stop()
        lint = bottleneck(self.rows, self.workers)
        if lint:
            self._line(lint)

    def _due(self) -> bool:
        """Whether ten seconds have gone by since this was so."""
        now = time.monotonic()
        if now - self.last <= PLAIN_SECONDS:
            return False
        self.last = now
        return True

    def _line(self, text: str) -> None:
        if self.plain:
            print(text, file=sys.stderr)
        else:
            self.bar.console.print(text, highlight=False)


def _duration(seconds: float) -> str:
    """Hours, minutes, seconds: 1:02:03, or 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
