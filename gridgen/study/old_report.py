"""What a search tells: while it runs, and at its end the best spec, a table, a picture."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.live import Live
from rich.text import Text

from gridgen.figures.scores import ScoredSpec, draw_search
from gridgen.files import write_file
from gridgen.grid import Grid
from gridgen.names import csv_text, escaped
from gridgen.shown import Shown, ShownRows, console
from gridgen.space import Space
from gridgen.space.choices import described
from gridgen.spec import GridSpec
from gridgen.study.storage import trained
from gridgen.study.study import Study
from gridgen.training.run.folder import dump

COLUMNS = ("trial", "state", "score", "parameters", "activations", "macs", "note")


class SearchObserver:
    """Callbacks of a search. The base class ignores every event."""

    def started(self, wanted: int, done: int) -> None:
        """The search begins; `done` of `wanted` candidates were trained before."""

    def few(self, feasible: int, points: int, networks: int) -> None:
        """Only `feasible` of the space's `points` meet the budget; they are so many networks."""

    def refused(self, number: int, reason: str) -> None:
        """Trial `number` is over budget or impossible."""

    def training(self, number: int, grid: Grid, parameters: int) -> None:
        """The training of trial `number` begins."""

    def scored(self, number: int, epoch: int, score: float) -> None:
        """Trial `number` was validated."""

    def ended(self, number: int, score: float | None, reason: str) -> None:
        """Trial `number` ended with a score, or without one for a reason."""

    def finished(self, reason: str) -> None:
        """The search ends; `reason` is "" unless it trained fewer candidates than wanted."""


class SearchProgress(SearchObserver):
    """Prints a line for each trained candidate on stderr, and how many were refused in between.

    On a terminal, a last line follows the training that is running.
    """

    def __init__(self, objective: str, space: Space | None = None) -> None:
        self.objective, self.space = objective, space or {}
        self.refusals = self.done = 0
        self.live: Live | None = None
        if sys.stderr.isatty():
            # Without automatic refresh there is no thread, and lines change on events alone.
            self.live = Live(console=console(), auto_refresh=False, transient=True)

    def started(self, wanted: int, done: int) -> None:
        """Print how many were trained before."""
        self.wanted, self.done, self.begun = wanted, done, time.monotonic()
        self.first = done
        if done:
            self._print(f"{done} of {wanted} trained before")

    def few(self, feasible: int, points: int, networks: int) -> None:
        """Print the numbers, since many candidates will be refused."""
        different = f", {networks:,} different networks" if networks < feasible else ""
        self._print(f"{feasible:,} of {points:,} candidates meet the budget{different}")

    def refused(self, number: int, reason: str) -> None:
        """Count the candidate; the next one that is trained prints the count."""
        self.refusals += 1

    def training(self, number: int, grid: Grid, parameters: int) -> None:
        """Show the candidate."""
        if self.refusals:
            self._print(f"refused {self.refusals} without building")
            self.refusals = 0
        assert isinstance(grid.spec, GridSpec)
        words = described(grid.spec, self.space)
        self.head = f"[{self.done + 1}/{self.wanted}] {words}, {parameters:,} parameters"
        if self.live:
            self.live.start()
            self._show(self.head)
        else:
            self._print(self.head)

    def scored(self, number: int, epoch: int, score: float) -> None:
        """Show the score behind the candidate, on a terminal only."""
        self._show(f"{self.head}  epoch {epoch}  {self.objective} {score:.3f}")

    def ended(self, number: int, score: float | None, reason: str) -> None:
        """Print the score and the time left."""
        self.done += score is not None
        end = f"{self.objective} {score:.3f}" if score is not None else reason
        spent, made = time.monotonic() - self.begun, self.done - self.first
        left = f"  {spent / made * (self.wanted - self.done):.0f} s left" if made else ""
        self._stop()
        self._print(f"{f'{self.head}  ' if self.live else '    '}{end}{left}")

    def finished(self, reason: str) -> None:
        """Print why the search ended early."""
        self._stop()
        if reason:
            self._print(reason)

    def _show(self, text: str) -> None:
        if self.live:
            self.live.update(Text(escaped(text), no_wrap=True, overflow="ellipsis"), refresh=True)

    def _stop(self) -> None:
        if self.live:
            self.live.stop()

    def _print(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class TrainedCandidate:
    """A trained candidate: the number of its trial, its score, and its spec."""

    number: int
    score: float
    parameters: int
    spec: GridSpec

    @property
    def topology(self) -> str:
        """The name of its topology."""
        return self.spec.title


@dataclass(frozen=True, repr=False)
class Result(Shown):
    """The outcome of a search: trained candidates, best first, and numbers of the others.

    `copies` are candidates of a network that was trained before, whose score they were given.
    """

    folder: Path
    entries: tuple[TrainedCandidate, ...]
    refused: int
    copies: int
    pruned: int
    failed: int

    def rows(self) -> ShownRows:
        """The best candidate, and how many there were of each sort."""
        numbers = ("refused", "copies", "pruned", "failed")
        best = self.entries[:1]
        told = [("best", f"{one.spec.title}, {one.spec.shape}: {one.score:.4f}") for one in best]
        counted = [("trained", str(len(self.entries)))]
        return told + counted + [(name, str(getattr(self, name))) for name in numbers]

    @property
    def best(self) -> GridSpec | None:
        """The spec with the highest score; None if nothing was trained."""
        return self.entries[0].spec if self.entries else None


def write_report(folder: Path, study: Study, found: optuna.Study) -> Result:
    """Write best.yaml, trials.csv and scores.png into `folder`."""
    result = summarize(folder, found)
    write_file(folder / "trials.csv", _table(study, found))
    if result.entries:
        write_file(folder / "best.yaml", _best(study, result.entries[0]))
        _draw(study, result)
    return result


def summarize(folder: Path, found: optuna.Study) -> Result:
    """The result that the study's database holds."""
    entries = [
        TrainedCandidate(
            trial.number,
            float(trial.value or 0.0),
            trial.user_attrs["parameters"],
            GridSpec(**trial.user_attrs["spec"]),
        )
        for trial in trained(found)
    ]
    given_up = found.get_trials(deepcopy=False, states=(TrialState.PRUNED,))
    copies = sum("copy_of" in trial.user_attrs for trial in found.get_trials(deepcopy=False))
    refused = sum("refused" in trial.user_attrs for trial in given_up)
    pruned = sum("pruned_at" in trial.user_attrs for trial in given_up)
    failed = len(found.get_trials(deepcopy=False, states=(TrialState.FAIL,)))
    entries.sort(key=lambda entry: (-entry.score, entry.parameters))
    return Result(folder, tuple(entries), refused, copies, pruned, failed)


def _draw(study: Study, result: Result) -> None:
    scored = [ScoredSpec(e.number, e.topology, e.parameters, e.score) for e in result.entries]
    # The paper's bound counts other parameters than the axis shows.
    limit = study.budget.parameters if study.budget.bound == "exact" else None
    path = result.folder / "scores.png"
    draw_search(scored, path, result.folder.name, study.objective, limit)


def _best(study: Study, best: TrainedCandidate) -> str:
    found = (
        f"# {study.objective} {best.score:.4f} on {study.data}, {best.parameters:,} parameters "
        f"(trial {best.number}).\n"
    )
    return found + dump(best.spec)


def _table(study: Study, found: optuna.Study) -> str:
    fields = tuple(study.space)
    rows = [
        (*_row(trial), *(trial.params.get(field, "") for field in fields))
        for trial in found.get_trials(deepcopy=False)
    ]
    return csv_text([(*COLUMNS, *fields), *rows])


def _row(trial: FrozenTrial) -> tuple[Any, ...]:
    attributes = trial.user_attrs
    note = attributes.get("failed") or attributes.get("refused") or ""
    if "copy_of" in attributes:
        note = f"same network as trial {attributes['copy_of']}"
    state = "refused" if "refused" in attributes else trial.state.name.lower()
    score = trial.value if trial.value is not None else attributes.get("pruned_at")
    costs = tuple(attributes.get(name, "") for name in ("parameters", "activations", "macs"))
    return (trial.number, state, "" if score is None else f"{score:.6f}", *costs, note)
