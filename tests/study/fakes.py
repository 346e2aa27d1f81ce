"""Studies that train nothing: a small space, and functions to score a grid with."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gridgen.errors import TrainingError
from gridgen.spec import GridSpec
from gridgen.study import Study
from gridgen.study.engine.engine import TrainingJob

TEXT = """\
data: shapes
spec: {classes: 3}
space:
  streams: [2, 3]
  columns: [1+1, 2+2]
  base_channels: [4, 8]
budget: {parameters: 20000}
recipe: demo
baselines: []
trials: 4
"""
"""Eight candidates. Four of them have 20,000 parameters at most."""


def study(**changes: Any) -> Study:
    return Study.parse(TEXT).but(**changes)


def size(spec: GridSpec) -> float:
    """A score that differs from candidate to candidate."""
    return spec.streams / 10 + len(spec.columns) / 100 + spec.base_channels / 10_000


class Scores:
    """An `evaluate` that remembers what it was given, and answers `size`, or else what it is told.

    Of `answers`, one for each call, exceptions are raised; None stands for `size`.
    """

    def __init__(self, *answers: float | BaseException | None) -> None:
        self.answers: Iterator[float | BaseException | None] = iter(answers)
        self.jobs: list[TrainingJob] = []

    def __call__(self, job: TrainingJob) -> float:
        self.jobs.append(job)
        answer = next(self.answers, None)
        if isinstance(answer, BaseException):
            raise answer
        return size(job.network) if answer is None else answer

    @property
    def numbers(self) -> list[int]:
        return [job.trial for job in self.jobs]

    @property
    def specs(self) -> list[dict[str, Any]]:
        return [job.network.complete() for job in self.jobs]


def no_training(job: TrainingJob) -> float:
    raise AssertionError(f"trial {job.trial} is trained, and should not be")


def failure(reason: str = "the loss is nan") -> TrainingError:
    return TrainingError(reason)


def rows(folder: Path) -> list[dict[str, str]]:
    """The lines of trials.csv."""
    with open(folder / "trials.csv", newline="") as file:
        return list(csv.DictReader(file))


def states(folder: Path) -> list[str]:
    return [row["state"] for row in rows(folder)]
