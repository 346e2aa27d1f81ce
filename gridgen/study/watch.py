"""Who is told how a search goes."""

import sys
import time

from gridgen.grid import Grid
from gridgen.space import Space
from gridgen.space.choices import described
from gridgen.spec import GridSpec


class Watch:
    """Told of every candidate of a search. This one tells nobody."""

    def started(self, wanted: int, done: int) -> None:
        """The search begins; `done` of `wanted` were trained before."""

    def few(self, feasible: int, points: int) -> None:
        """Only `feasible` of the space's `points` meet the budget."""

    def refused(self, number: int, reason: str) -> None:
        """Trial `number` is over budget or impossible."""

    def training(self, number: int, grid: Grid, parameters: int) -> None:
        """Trial `number` is being trained."""

    def scored(self, number: int, epoch: int, score: float) -> None:
        """Trial `number` was validated."""

    def ended(self, number: int, score: float | None, reason: str) -> None:
        """Trial `number` is done: its score, or the reason why it has none."""

    def finished(self, reason: str) -> None:
        """No more will come; `reason` says why where fewer were trained than wanted."""


class Terminal(Watch):
    """A line on stderr for each candidate that is trained; how many were refused between them."""

    def __init__(self, objective: str, space: Space | None = None) -> None:
        self.objective, self.space = objective, space or {}
        self.refusals = self.done = 0

    def started(self, wanted: int, done: int) -> None:
        """Say where the search stands."""
        self.wanted, self.done, self.begun = wanted, done, time.monotonic()
        self.first = done
        if done:
            self._say(f"{done} of {wanted} trained before")

    def few(self, feasible: int, points: int) -> None:
        """Say so, since many will be refused."""
        self._say(f"{feasible:,} of {points:,} candidates meet the budget")

    def refused(self, number: int, reason: str) -> None:
        """Counted; shown with the next candidate."""
        self.refusals += 1

    def training(self, number: int, grid: Grid, parameters: int) -> None:
        """The candidate; the line is finished when it is."""
        if self.refusals:
            self._say(f"refused {self.refusals} without building")
            self.refusals = 0
        words = _words(grid, self.space)
        self.head = f"[{self.done + 1}/{self.wanted}] {words}, {parameters:,} parameters"
        self._say(self.head, end="\r" if sys.stderr.isatty() else "\n")

    def scored(self, number: int, epoch: int, score: float) -> None:
        """Only on a terminal: the score so far, in place."""
        if sys.stderr.isatty():
            self._say(f"{self.head}  epoch {epoch}  {self.objective} {score:.3f}", end="\r")

    def ended(self, number: int, score: float | None, reason: str) -> None:
        """The score, and the time left."""
        self.done += score is not None
        end = f"{self.objective} {score:.3f}" if score is not None else reason
        spent, made = time.monotonic() - self.begun, self.done - self.first
        left = f"  {spent / made * (self.wanted - self.done):.0f} s left" if made else ""
        head = f"{self.head}  " if sys.stderr.isatty() else "    "
        self._say(f"{head}{end}{left}")

    def finished(self, reason: str) -> None:
        """Why it ended early."""
        if reason:
            self._say(reason)

    def _say(self, text: str, end: str = "\n") -> None:
        clear = "\033[K" if sys.stderr.isatty() else ""
        print(f"{clear}{text}", end=end, file=sys.stderr, flush=True)


def _words(grid: Grid, space: Space) -> str:
    assert isinstance(grid.spec, GridSpec)
    return described(grid.spec, space)
