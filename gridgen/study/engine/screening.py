"""An engine that scores candidates without training, and trains those that are to be confirmed."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from gridgen.errors import TrainingError
from gridgen.study.engine.engine import Engine, TrainingJob, TrainingOutcome


@runtime_checkable
class Screen(Protocol):
    """What scores candidates without training them, such as a supernet."""

    @property
    def digests(self) -> Mapping[str, str]:
        """Hashes of what its scores depend on; a search that goes on needs the same."""

    @property
    def about(self) -> str:
        """What it is, and how far it can be trusted, in one line for the report."""

    def score(self, job: TrainingJob) -> Mapping[str, float]:
        """The scores of a candidate, by column of metrics.csv.

        Errors: `TrainingError` where this candidate alone has none.
        """

    def initial(self, job: TrainingJob) -> Path | None:
        """The file of weights with which a training begins, which this writes; None for none."""


class ScreeningEngine:
    """Asks a screen for scores, and another engine for the trainings of confirmations."""

    def __init__(self, screen: Screen, trained: Engine, objective: str) -> None:
        self.places = trained.places
        self._screen, self._trained, self._objective = screen, trained, objective
        self._screened = deque[TrainingJob]()

    def submit(self, job: TrainingJob) -> None:
        """Hand a confirmation on with its first weights; keep all else until it is waited for."""
        if job.role == "confirmation":
            self._trained.submit(replace(job, init=self._screen.initial(job)))
        else:
            self._screened.append(job)

    def wait(self) -> TrainingOutcome:
        """Score what was submitted first; where nothing is left of that, wait for a training."""
        if not self._screened:
            return self._trained.wait()
        job, begun = self._screened.popleft(), time.monotonic()
        try:
            row = self._screen.score(job)
        except TrainingError as error:
            return TrainingOutcome(job, seconds=time.monotonic() - begun, failure=error)
        curve = ((job.recipe.epochs, row[self._objective]),)
        return TrainingOutcome(job, row, curve, time.monotonic() - begun)

    def close(self) -> None:
        """Score nothing more, and end all trainings."""
        self._screened.clear()
        self._trained.close()
