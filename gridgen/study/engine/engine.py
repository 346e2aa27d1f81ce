"""What an engine is, and the simplest one, which calls a function in the driver's own process."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from gridgen.errors import TrainingError, UsageError
from gridgen.grid import Grid, build_grid
from gridgen.spec import NetworkSpec
from gridgen.study.trials import Curve, Role
from gridgen.training import Recipe

ReportScore = Callable[[int, float], bool]
"""Takes the epoch and score of a validation, and returns whether to stop the training there."""


class Pruned(Exception):  # noqa: N818 - an answer, not an error
    """The pruner stopped a training; `score` is the last one it reached."""

    def __init__(self, score: float) -> None:
        super().__init__(score)
        self.score = score


@dataclass(frozen=True)
class TrainingJob:
    """One training to run: a network, how, from which seed, and in which folder.

    Each validation goes to `report`, which answers whether to stop there. A training that was
    stopped may be submitted again: it then goes on from what lies in its folder.
    """

    trial: int
    seed: int
    network: NetworkSpec
    recipe: Recipe
    folder: Path
    report: ReportScore
    role: Role = "searched"
    init: Path | None = None
    """A run or weights file whose weights it begins with, where it has any."""

    @cached_property
    def grid(self) -> Grid:
        """The network as a grid."""
        return build_grid(self.network)


@dataclass(frozen=True)
class TrainingOutcome:
    """The end of a training: its last scores by column, or the failure that left it without.

    `curve` has the epochs that were validated, `seconds` is what this start of it took. `scored_by`
    says what gave the scores where nothing was trained.
    """

    job: TrainingJob
    row: Mapping[str, float] = field(default_factory=dict)
    curve: Curve = ()
    seconds: float = 0.0
    failure: Pruned | TrainingError | None = None
    scored_by: str = ""


Evaluate = Callable[[TrainingJob], float | Mapping[str, float]]
"""Trains a network in a folder and returns its score, or its last scores by column."""


class Engine(Protocol):
    """Runs trainings, as many at once as it has places."""

    places: int

    def submit(self, job: TrainingJob) -> None:
        """Accept a training and return at once."""

    def wait(self) -> TrainingOutcome:
        """Block until a submitted training has ended; validations are reported meanwhile.

        What the training itself brings about, a lack of memory among it, is part of the outcome.
        What would befall every other training as well, such as a full disk, is raised, and so are
        bugs and Ctrl-C; the training is then to be run again.
        """

    def quiet(self) -> AbstractContextManager[None]:
        """Hold all trainings still meanwhile, so that something can be measured."""

    def close(self) -> None:
        """End all trainings that still run; those are to be run again."""


class FunctionEngine:
    """Calls a function for one training after another, in the driver's process."""

    places = 1

    def __init__(self, evaluate: Evaluate, objective: str) -> None:
        self._evaluate, self._objective = evaluate, objective
        self._submitted = deque[TrainingJob]()

    def submit(self, job: TrainingJob) -> None:
        """Put the training behind those that were submitted before."""
        self._submitted.append(job)

    def wait(self) -> TrainingOutcome:
        """Run the training that was submitted first."""
        job, begun = self._submitted.popleft(), time.monotonic()
        curve: list[tuple[int, float]] = []

        def report(epoch: int, score: float) -> bool:
            curve.append((epoch, score))
            return job.report(epoch, score)

        row: Mapping[str, float] = {}
        failure: Pruned | TrainingError | None = None
        try:
            scored = self._evaluate(replace(job, report=report))
            row = self._row(scored)
        except (Pruned, TrainingError) as error:
            failure = error
        return TrainingOutcome(job, row, tuple(curve), time.monotonic() - begun, failure)

    def _row(self, scored: object) -> Mapping[str, float]:
        row = scored if isinstance(scored, Mapping) else {self._objective: scored}
        return {name: _score(value) for name, value in row.items()}

    def quiet(self) -> AbstractContextManager[None]:
        """Nothing runs between two calls."""
        return nullcontext()

    def close(self) -> None:
        """Forget what was submitted."""
        self._submitted.clear()


def _score(value: Any) -> float:
    if isinstance(value, Tensor) and value.numel() == 1:
        value = value.item()
    # NumPy's numbers are of the same kind; booleans are too, and no score.
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    fact = f"evaluate gave {value!r}, which is no score"
    raise UsageError(f"{fact}; return a number, or a mapping of columns to numbers")
