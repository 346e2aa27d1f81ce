"""An engine that scores candidates without training, and trains those that are to be confirmed."""

import time
from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from gridgen.errors import SpecError, TrainingError
from gridgen.study.engine.engine import Engine, TrainingJob, TrainingOutcome
from gridgen.study.language.study import Study
from gridgen.study.trials import SCORED_BY


@runtime_checkable
class Screen(Protocol):
    """What scores candidates without training them, such as a supernet."""

    @property
    def digests(self) -> Mapping[str, str]:
        """Hashes of what its scores depend on; a search that goes on needs the same."""

    @property
    def name(self) -> str:
        """What it is, such as `the supernet runs/all`."""

    @property
    def trust(self) -> str:
        """How far its scores can be trusted, in one line."""

    def score(self, job: TrainingJob) -> Mapping[str, float]:
        """The scores of a candidate, by column of metrics.csv.

        Errors: `TrainingError` where this candidate alone has none.
        """

    def initial(self, job: TrainingJob) -> Path | None:
        """The file of weights with which a training begins, which this writes; None for none."""


class ScreeningEngine:
    """Asks a screen for scores, and another engine for the trainings of confirmations."""

    def __init__(self, screen: Screen, trained: Engine) -> None:
        self.places = trained.places
        self._screen, self._trained = screen, trained
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
        seconds, told = time.monotonic() - begun, f"{SCORED_BY}{self._screen.name}"
        return TrainingOutcome(job, row, seconds=seconds, scored_by=told)

    def quiet(self) -> AbstractContextManager[None]:
        """Hold confirmations still."""
        return self._trained.quiet()

    def close(self) -> None:
        """Score nothing more, and end all trainings."""
        self._screened.clear()
        self._trained.close()


def require_screen(study: Study, screen: Screen | None) -> None:
    """Refuse a study that asks for a screen where there is none. Errors: `SpecError`."""
    if screen is not None:
        return
    if study.supernet is not None:
        fact = "candidates are scored by a supernet; search by gridgen.search_by_supernet"
        raise study.blame(SpecError(fact, ("supernet",)))
    if study.confirm is not None and study.confirm.init is not None:
        fact = "there is no supernet; give --supernet RUN, or leave init out"
        raise study.blame(SpecError(fact, ("confirm", "init")))


def require_same_data(study: Study, held: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Refuse data whose digests, those `held`, are others than a screen's. Errors: `SpecError`."""
    for name, digest in known.items():
        if held.get(name, digest) != digest:
            what = name.replace("_", " ")
            fact = f"{study.data} has other {what} than those that the supernet was trained on"
            raise study.blame(SpecError(f"{fact}; give the same data", ("data",)))
