"""What a search tells: while it runs, and at its end the best spec, a table, a picture."""

import csv
import sys
import time
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from gridgen.figures import save_figure
from gridgen.files import write_file
from gridgen.grid import Grid
from gridgen.space import Space
from gridgen.space.choices import described
from gridgen.spec import GridSpec
from gridgen.study.storage import trained
from gridgen.study.study import Study
from gridgen.training.run import dump


class SearchObserver:
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


class SearchProgress(SearchObserver):
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


COLUMNS = ("trial", "state", "score", "parameters", "activations", "macs", "note")
COLOURS = ("#4f9d3a", "#cf3f3f", "#e3a400", "#3867c7", "#8a4fb5", "#8a8a8a")
MARKS = ("o", "s", "^", "D", "v", "P")


@dataclass(frozen=True)
class TrainedCandidate:
    """A trained candidate."""

    number: int
    score: float
    parameters: int
    spec: GridSpec

    @property
    def topology(self) -> str:
        """Its topology's name."""
        return self.spec.title


@dataclass(frozen=True)
class Result:
    """The outcome of a search: trained candidates, best first, and what was not trained."""

    folder: Path
    entries: tuple[TrainedCandidate, ...]
    refused: int
    pruned: int
    failed: int

    @property
    def best(self) -> GridSpec | None:
        """The spec with the highest score; None where nothing was trained."""
        return self.entries[0].spec if self.entries else None


def write_report(folder: Path, study: Study, found: optuna.Study) -> Result:
    """Write best.yaml, trials.csv and scores.png into `folder`."""
    result = summarize(folder, found)
    write_file(folder / "trials.csv", _table(study, found))
    if result.entries:
        write_file(folder / "best.yaml", _best(study, result.entries[0]))
        draw_scores(result, study, folder / "scores.png")
    return result


def summarize(folder: Path, found: optuna.Study) -> Result:
    """The result as the study's database has it."""
    entries = [
        TrainedCandidate(
            trial.number,
            float(trial.value or 0.0),
            trial.user_attrs["parameters"],
            GridSpec.of(**trial.user_attrs["spec"]),
        )
        for trial in trained(found)
    ]
    given_up = found.get_trials(deepcopy=False, states=(TrialState.PRUNED,))
    refused = sum("refused" in trial.user_attrs for trial in given_up)
    pruned = sum("pruned_at" in trial.user_attrs for trial in given_up)
    failed = len(found.get_trials(deepcopy=False, states=(TrialState.FAIL,)))
    entries.sort(key=lambda entry: (-entry.score, entry.parameters))
    return Result(folder, tuple(entries), refused, pruned, failed)


def draw_scores(result: Result, study: Study, path: Path) -> None:
    """Score against parameters, one mark per topology, the best named, the budget a line."""
    from matplotlib.figure import Figure  # half a second that nothing else needs

    figure = Figure(figsize=(7, 4.4), layout="constrained")
    axis = figure.subplots()
    names = sorted({entry.topology for entry in result.entries})
    for index, name in enumerate(names):
        points = [entry for entry in result.entries if entry.topology == name]
        axis.scatter(
            [entry.parameters for entry in points],
            [entry.score for entry in points],
            label=name,
            color=COLOURS[index % len(COLOURS)],
            marker=MARKS[index % len(MARKS)],
            s=42,
        )
    best = result.entries[0]
    axis.annotate(
        f"best: trial {best.number}",
        (best.parameters, best.score),
        xytext=(0, 8),
        textcoords="offset points",
        ha="center",
    )
    limit = study.budget.parameters
    if limit is not None and study.budget.bound == "exact":
        axis.axvline(limit, color="#8a8a8a", linestyle="--", linewidth=1, label="budget")
    axis.set(xscale="log", xlabel="parameters", ylabel=study.objective, title=result.folder.name)
    axis.margins(y=0.12)
    axis.grid(alpha=0.3, which="both")
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    save_figure(figure, path)


def _best(study: Study, best: TrainedCandidate) -> str:
    found = (
        f"# {study.objective} {best.score:.4f} on {study.data}, {best.parameters:,} parameters "
        f"(trial {best.number}).\n"
    )
    return found + dump(best.spec)


def _table(study: Study, found: optuna.Study) -> str:
    written = StringIO()
    fields = tuple(study.space)
    table = csv.writer(written, lineterminator="\n")
    table.writerow((*COLUMNS, *fields))
    for trial in found.get_trials(deepcopy=False):
        table.writerow((*_row(trial), *(trial.params.get(field, "") for field in fields)))
    return written.getvalue()


def _row(trial: FrozenTrial) -> tuple[Any, ...]:
    attributes = trial.user_attrs
    note = attributes.get("failed") or attributes.get("refused") or ""
    if "copy_of" in attributes:
        note = f"same network as trial {attributes['copy_of']}"
    state = "refused" if "refused" in attributes else trial.state.name.lower()
    score = trial.value if trial.value is not None else attributes.get("pruned_at")
    costs = tuple(attributes.get(name, "") for name in ("parameters", "activations", "macs"))
    return (trial.number, state, "" if score is None else f"{score:.6f}", *costs, note)
