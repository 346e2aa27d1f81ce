"""What a search tells while it runs: on a terminal one living line, elsewhere plain lines."""

import sys
from collections import Counter
from collections.abc import Sequence

from rich.live import Live
from rich.text import Text

from gridgen.names import escaped
from gridgen.shown import console
from gridgen.study.report.answer import front, of_role
from gridgen.study.report.asked import Asked
from gridgen.study.report.statistics import SeedScores, signed
from gridgen.study.trials import Candidate, TrialRecord
from gridgen.training.loop.progress import duration

MANY_REFUSALS = 10
"""Number from which on refusals are told before the next training, else at the end of a part."""


class SearchObserver:
    """Callbacks of a search. The base class ignores every event."""

    def started(self, wanted: int, done: int, places: int = 1) -> None:
        """The search begins; `done` of `wanted` candidates were trained before. So many trainings
        run at once as there are places.
        """

    def taken_up(self, records: Sequence[TrialRecord]) -> None:
        """These trials are there from earlier starts; told after `started`."""

    def noted(self, line: str) -> None:
        """Something is to be known before the search goes on."""

    def phase(self, name: str, wanted: int, done: int = 0) -> None:
        """A part of the search begins, such as its baselines; `done` of the trials `wanted` in it
        were trained before.
        """

    def refused(self, reason: str, many: int = 1) -> None:
        """So many candidates were refused without training, for one reason."""

    def begun(self, trial: int, seed: int, candidate: Candidate, number: int) -> None:
        """A training begins, or goes on from its checkpoint: the `number`-th that ever began."""

    def scored(self, trial: int, seed: int, epoch: int, score: float) -> None:
        """A training was validated."""

    def paused(self, record: TrialRecord, score: float, seconds: float) -> None:
        """A training stopped at a rung with this score, after so long, and may go on."""

    def went_on(self, trial: int, seed: int, epoch: int) -> None:
        """A training that was paused goes on after this epoch."""

    def ended(self, record: TrialRecord) -> None:
        """A trial is over, with a score or without one."""

    def given_up(self, records: Sequence[TrialRecord]) -> None:
        """The search is over, and so are trials that were paused."""
        for record in records:
            self.ended(record)

    def finished(self, reason: str) -> None:
        """The search ends, for this reason."""


class SearchProgress(SearchObserver):
    """Lines on stderr: every training that begins and every trial that ends, with the best so far
    and the time left. On a terminal a last line follows all trainings that run.
    """

    def __init__(self, asked: Asked) -> None:
        self.objective, self.digits = asked.objective, asked.digits
        self.objectives = asked.objectives
        self.wanted = self.done = self.number = 0
        self.places = 1
        self.refusals, self.last_refusal = Counter[str](), ""
        self.running = dict[tuple[int, int], str]()
        self.best = list[TrialRecord]()
        self.seconds, self.made = 0.0, 0
        # Of trials that were paused: seconds that are counted already.
        self.counted = dict[int, float]()
        self.live: Live | None = None
        if sys.stderr.isatty():
            # Without automatic refresh there is no thread, and lines change on events alone.
            self.live = Live(console=console(), auto_refresh=False, transient=True)

    def started(self, wanted: int, done: int, places: int = 1) -> None:
        """Say how many were trained or scored before."""
        self.wanted, self.done, self.places = wanted, done, max(places, 1)
        if done:
            self._print(f"{done} of {wanted} done before")

    def taken_up(self, records: Sequence[TrialRecord]) -> None:
        """The best of them is the best so far."""
        self.best = front(of_role(records, "searched"), self.objectives)

    def noted(self, line: str) -> None:
        """Print it."""
        self._print(line)

    def phase(self, name: str, wanted: int, done: int = 0) -> None:
        """Name the part, whose trials are counted from now on."""
        self._tell_refusals()
        self.wanted, self.done = wanted, done
        self.seconds, self.made = 0.0, 0
        self._print(f"{name}: {wanted - done} to go")

    def refused(self, reason: str, many: int = 1) -> None:
        """Count the candidates; a line now and then says how many there were."""
        self.refusals[reason] += many
        self.last_refusal = reason
        self._show()

    def begun(self, trial: int, seed: int, candidate: Candidate, number: int) -> None:
        """Say what is trained, or scored."""
        if self.refusals.total() >= MANY_REFUSALS:
            self._tell_refusals()
        self.number = number
        self.running[trial, seed] = ""
        self._print(f"trial {trial}, seed {seed} begins: {candidate.name}")
        self._show()

    def scored(self, trial: int, seed: int, epoch: int, score: float) -> None:
        """Show the score, on a terminal only."""
        self.running[trial, seed] = f"epoch {epoch} {signed(score, self.digits)}"
        self._show()

    def paused(self, record: TrialRecord, score: float, seconds: float) -> None:
        """Say where, with which score."""
        self._leave(record.number)
        self.seconds += seconds
        self.counted[record.number] = self.counted.get(record.number, 0.0) + seconds
        reached = f"{self.objective} {signed(score, self.digits)}"
        self._print(f"trial {record.number}: paused {record.reason}, {reached}")
        self._show()

    def went_on(self, trial: int, seed: int, epoch: int) -> None:
        """Say from where."""
        self.running[trial, seed] = ""
        self._print(f"trial {trial}: goes on from epoch {epoch}")
        self._show()

    def given_up(self, records: Sequence[TrialRecord]) -> None:
        """Say how many."""
        ones = "trial is" if len(records) == 1 else "trials are"
        self._print(f"{len(records)} paused {ones} pruned, as the search is over")

    def ended(self, record: TrialRecord) -> None:
        """Say how the trial ended, the best so far, and the time left."""
        self._leave(record.number)
        self.done += record.state == "finished"
        if not record.known:
            self.seconds += record.seconds - self.counted.pop(record.number, 0.0)
            self.made += record.state == "finished"
        if record.role == "searched":
            self.best = front([*self.best, record], self.objectives)
        told = "; ".join(filter(None, [self._end(record), ", ".join(self._standing())]))
        self._print(f"trial {record.number}: {told}")
        self._show()

    def finished(self, reason: str) -> None:
        """Say why the search ended."""
        self._tell_refusals()
        self._stop()
        if reason:
            self._print(reason)

    def _leave(self, number: int) -> None:
        for key in [key for key in self.running if key[0] == number]:
            del self.running[key]

    def _end(self, record: TrialRecord) -> str:
        if record.state == "finished" and record.scores:
            return f"{self.objective} {SeedScores('', record.scores).told(self.digits)}"
        reason = record.reason.splitlines()[0] if record.reason else ""
        return f"{record.state}: {reason}" if reason else record.state

    def _standing(self) -> list[str]:
        """The best so far, how far the search has come, and the time left."""
        told = [f"{self.done} of {self.wanted} done"] if self.wanted else []
        if self.best and self.best[0].score is not None:
            score = signed(self.best[0].score, self.digits)
            on_front = f", {len(self.best)} on the front" if len(self.objectives) > 1 else ""
            told.insert(0, f"best {score} (trial {self.best[0].number}){on_front}")
        left = self._left()
        return told if left is None else [*told, f"{duration(left)} left"]

    def _left(self) -> float | None:
        """Seconds until the part is over; None before the first of its trials is.

        Each trial to come takes as long as those that are over did for each that finished, pruned
        ones among them.
        """
        waiting = self.wanted - self.done
        if not self.made or waiting <= 0:
            return None
        # Places beyond the number of trials stay empty.
        return self.seconds / self.made * waiting / min(self.places, waiting)

    def _tell_refusals(self) -> None:
        if not self.refusals:
            return
        reason, many = self.refusals.most_common(1)[0]
        total = self.refusals.total()
        others = "" if many == total else f", {many:,} of them"
        self._print(f"refused {total:,} without training{others}: {reason}")
        self.refusals.clear()

    def _show(self) -> None:
        if self.live is None:
            return
        told = [f"{self.number} begun", *self._standing()]
        told += [f"trial {t} seed {s} {end}".rstrip() for (t, s), end in self.running.items()]
        if self.refusals:
            told.append(f"refused {self.refusals.total():,}, last: {self.last_refusal}")
        self.live.start()
        text = Text(escaped("  ".join(told)), no_wrap=True, overflow="ellipsis")
        self.live.update(text, refresh=True)

    def _stop(self) -> None:
        if self.live:
            self.live.stop()

    def _print(self, text: str) -> None:
        # A line above the living one, which would overwrite what is printed below it.
        self._stop()
        print(text, file=sys.stderr, flush=True)
