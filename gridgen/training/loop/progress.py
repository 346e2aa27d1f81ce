"""Progress of a training on stderr: a bar on a terminal, and plain lines in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer

from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from gridgen.names import escaped
from gridgen.shown import console
from gridgen.training.loop.watch import Watch
from gridgen.training.run.folder import MetricsRow, Run
from gridgen.training.run.steplog import StepRow, bottleneck, pace_text

QUIET_SECONDS = 10.0
"""Between two lines of a log."""
SLOW_SECONDS = 2.0
"""A dataset that takes longer to open is announced."""
SHORT_SECONDS = 60.0
"""A training that is done sooner needs no advice on its pace."""
LONG_SECONDS = 3600.0
"""A training on a CPU that takes longer is told so, and how to make it shorter."""
TIMED_SECONDS = 10.0
"""Of steps, before the time of all is reckoned from theirs."""
LEAST_BAR = 6
"""Characters; what does not fit beside them is left out."""


@contextmanager
def on_stderr() -> Iterator["ProgressLines"]:
    """The watch that suits stderr; at the end nothing of it moves any more, whatever happened."""
    watch = ProgressBar() if sys.stderr.isatty() else ProgressLines()
    try:
        yield watch
    finally:
        watch.close()


class ProgressLines(Watch):
    """A line every ten seconds, and one for each validation."""

    def __init__(self) -> None:
        self.last, self.rows = time.monotonic(), list[StepRow]()
        self.begun: float | None = None
        self.reckons = False
        self.reading: Timer | None = None

    def opening(self, data: str) -> None:
        """Announce the dataset where it takes long to read."""
        self.reading = Timer(SLOW_SECONDS, self.tell, [f"reading {data}"])
        # Otherwise a program that fails while reading would wait for it.
        self.reading.daemon = True
        self.reading.start()

    def counted(self, done: int, total: int) -> None:
        """Print a line now and then."""
        self._opened()
        self.show("counting labels", done, total)

    def noted(self, line: str) -> None:
        """Print it at once."""
        self._opened()
        self.tell(line)

    def started(self, run: Run, total: int, done: int, workers: int) -> None:
        """Note the steps that there are, and say from which a training goes on."""
        self._opened()
        self.total, self.first, self.step, self.workers = total, done, done, workers
        self.metric, self.epochs = run.task.metric, run.recipe.epochs
        self.shaped_until = run.recipe.shaped_until
        self.went_on = self.last = time.monotonic()
        # Of a training that goes on, nothing can be changed any more.
        self.reckons = done == 0 and (run.facts.machine or "").startswith("cpu")
        if 0 < done < total:
            self.tell(f"going on after step {done} of {total}")

    def stepped(self, step: int) -> None:
        """Show the step. Time is taken from the end of the first one, which may have compiled."""
        self.step = step
        if self.begun is None:
            self.begun, self.first_timed = time.monotonic(), step
        elif self.reckons and time.monotonic() - self.begun >= TIMED_SECONDS:
            self._reckon()
        self.show("step", step, self.total, *self._known())

    def paced(self, row: StepRow) -> None:
        """Keep the row, whose loss and pace are shown from now on."""
        self.rows.append(row)

    def scoring(self, split: str, done: int, total: int) -> None:
        """Show how far a validation has come."""
        self.show(f"scoring {split}", done, total)

    def scored(self, row: MetricsRow) -> None:
        """Print the scores of an epoch, in columns that lie below each other."""
        metric = self.metric
        epoch = f"{row['epoch']:{len(str(self.epochs))}.0f}"
        told = [f"epoch {epoch}/{self.epochs}", f"loss {loss_text(row['loss']):<6}"]
        told.append(f"val {metric.title} {metric.brief(row[metric.val])}")
        if metric.holdout in row:
            told.append(f"held out {metric.brief(row[metric.holdout])}")
        self.tell("  ".join(told))

    def finished(self) -> None:
        """Advise where images were loaded too slowly."""
        if time.monotonic() - self.went_on < SHORT_SECONDS:
            return
        lint = bottleneck(self.rows, self.workers, self.first)
        if lint:
            self.tell(lint)

    def close(self) -> None:
        """Stop all output."""
        self._opened()

    def _opened(self) -> None:
        """Cancel the announcement of reading."""
        if self.reading is not None:
            self.reading.cancel()

    def show(self, what: str, done: int, total: int, *known: str) -> None:
        """Print a line of progress and what is `known` of it, unless the last was just before."""
        now = time.monotonic()
        if now - self.last > QUIET_SECONDS:
            self.last = now
            self.tell("  ".join([f"{what} {done}/{total}", *known]))

    def tell(self, text: str) -> None:
        """Print a line at once."""
        with suppress(OSError):  # a log that is full stops no training
            print(text, file=sys.stderr, flush=True)

    def _reckon(self) -> None:
        """Say once, after the first steps, that all will take hours, and how they take fewer."""
        self.reckons = False
        left = self._left()
        if left is None or left <= LONG_SECONDS:
            return
        fact = f"at the pace of its first steps this takes {duration(left)} on a CPU"
        within = int(self.epochs * LONG_SECONDS / left)
        fits = within > self.shaped_until
        fewer = f"--set recipe.epochs={within} takes an hour; " if fits else ""
        faster = "a lower recipe.batch or recipe.crop.size, or a smaller network, quickens steps"
        self.tell(f"{fact}; {fewer}{faster}")

    def _known(self) -> list[str]:
        """Loss, pace and time left, where there are any yet."""
        known = []
        if self.rows:
            known = [f"loss {loss_text(self.rows[-1]['loss'])}", pace_text(self.rows[-1])]
        left = self._left()
        return known if left is None else [*known, f"{duration(left)} left"]

    def _left(self) -> float | None:
        """Seconds, if all goes on as it did, validations too."""
        if self.begun is None or self.step == self.first_timed:
            return None
        taken = (time.monotonic() - self.begun) / (self.step - self.first_timed)
        return taken * (self.total - self.step)


class ProgressBar(ProgressLines):
    """A bar, below the lines that stay; as much beside it as the terminal is wide."""

    def __init__(self) -> None:
        super().__init__()
        self.console = console()
        self.bar = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            TextColumn("{task.fields[known]}", markup=False, table_column=Column(no_wrap=True)),
            console=self.console,
            expand=True,
            transient=True,
        )
        self.task = self.bar.add_task("", total=None, known="")

    def opening(self, data: str) -> None:
        """A bar that only says that something goes on."""
        self.bar.start()
        self.bar.update(self.task, description=escaped(f"reading {data}"))

    def show(self, what: str, done: int, total: int, *known: str) -> None:
        """Move the bar."""
        described = f"{what} {done}/{total}"
        room = self.console.width - len(described) - LEAST_BAR - 3
        self.bar.start()
        self.bar.update(
            self.task,
            description=described,
            completed=done,
            total=total,
            known=fitting(known, room),
        )

    def tell(self, text: str) -> None:
        """Print a line above the bar."""
        self.console.print(escaped(text), highlight=False, markup=False, soft_wrap=True)

    def finished(self) -> None:
        """Take the bar away, then advise."""
        self.close()
        super().finished()

    def close(self) -> None:
        """Take the bar away."""
        self.bar.stop()


def fitting(known: tuple[str, ...], room: int) -> str:
    """Loss, pace and time left in `room` characters; the time is the last to be left out.

    >>> fitting(("loss 2.432", "11.3 images/s, 6% waiting for data", "4:38 left"), 60)
    'loss 2.432  11.3 images/s, 6% waiting for data  4:38 left'
    >>> fitting(("loss 2.432", "11.3 images/s, 6% waiting for data", "4:38 left"), 50)
    'loss 2.432  11.3 images/s, 6% waiting  4:38 left'
    >>> fitting(("loss 2.432", "11.3 images/s, 6% waiting for data", "4:38 left"), 40)
    'loss 2.432  4:38 left'
    """
    shown = "  ".join(known)
    if len(shown) > room:
        shown = shown.replace(" for data", "")
    if len(shown) <= room or not known:
        return shown
    least = max(len(known) - 2, 0)
    return fitting((*known[:least], *known[least + 1 :]), room)


def loss_text(loss: float) -> str:
    """Four digits, whatever the size: those of images are far below 1.

    >>> loss_text(2.43212), loss_text(0.0302)
    ('2.432', '0.03020')
    """
    return f"{loss:#.4g}".rstrip(".")


def duration(seconds: float) -> str:
    """Hours, minutes, seconds.

    >>> duration(3723), duration(123)
    ('1:02:03', '2:03')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
