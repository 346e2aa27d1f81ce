"""Simulated searches: by which method, what they found, how far from the best of the table."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridgen.arguments import checked, checked_fields
from gridgen.errors import UsageError
from gridgen.shown import Shown, ShownRows
from gridgen.tabular.table import Scores, TopologyBenchmark
from gridgen.tabular.trainings import ScoredSplit

TOP = 0.02
"""The share of the topologies that counts as the best."""


class SearchMethod(NamedTuple):
    """How a search chooses: sampler, pruner and prefilter of a study, and what the sampler sees."""

    sampler: str
    pruner: str = "none"
    prefilter: str = "none"
    encoding: str = "number"

    @classmethod
    def of(cls, row: Mapping[str, str]) -> "SearchMethod":
        """That of a row of simulations.csv."""
        return cls(*(row[name] for name in cls._fields))

    @property
    def at_random(self) -> bool:
        """Whether each order of what is trained is as probable as any other."""
        return (self.sampler, self.prefilter, self.encoding) == ("random", "none", "number")


@checked_fields
@dataclass(frozen=True, eq=False, repr=False)
class Simulation(Shown):
    """Simulated searches; rows are searches, columns the topologies that each began to train.

    `tried` holds numbers of the table, `spent` the trainings until then, in whole ones, `named` the
    topology that the search would name by then, `quality` its score by the judge. For each search,
    `best` is the judge's highest score of all, `threshold` the least of its best 2 %.
    """

    tried: NDArray[np.intp]
    spent: Scores
    named: NDArray[np.intp]
    quality: Scores
    best: Scores
    threshold: Scores

    @checked
    def judged_by(self, benchmark: TopologyBenchmark, split: ScoredSplit) -> "Simulation":
        """The same searches of the same benchmark, judged by another split."""
        quality, best, threshold = judged(benchmark, split, self.named)
        return replace(self, quality=quality, best=best, threshold=threshold)

    @property
    def regret(self) -> Scores:
        """How far what is named lies below the best of all."""
        return self.best[:, None] - self.quality

    @checked
    def regret_after(self, trainings: float) -> Scores:
        """The regret of each search after so many whole trainings, nan before the first.

        Errors: `UsageError` for more than any search has spent.
        """
        return self._after(trainings, self.regret)

    @checked
    def in_the_top_after(self, trainings: float) -> Scores:
        """Whether each search names one of the best 2 % after so many trainings: 1 or 0."""
        there = self.quality >= self.threshold[:, None]
        return self._after(trainings, there.astype(np.float64))

    @property
    def trainings_to_the_top(self) -> Scores:
        """Trainings until each search first names one of the best 2 %, infinity where none does."""
        there = self.quality >= self.threshold[:, None]
        first = there.argmax(axis=1)
        spent = self.spent[np.arange(len(first)), first]
        return np.where(there.any(axis=1), spent, np.inf)

    def rows(self) -> ShownRows:
        """How many searches, how long they are, and the mean of what they end with."""
        searches, begun = self.tried.shape
        regret = self.regret[:, -1].mean()
        found = (self.quality[:, -1] >= self.threshold).mean()
        ended = [("mean regret", f"{regret:.4f}"), ("in the best 2 %", f"{found:.0%}")]
        return [("searches", f"{searches:,}"), ("topologies begun", str(begun)), *ended]

    def _after(self, trainings: float, values: Scores) -> Scores:
        most = self.spent[:, -1].max()
        if trainings > most:
            fact = f"trainings is {trainings}, but the searches end after {most:g}"
            raise UsageError(f"{fact}; give that at most")
        begun = (self.spent <= trainings).sum(axis=1)
        last = values[np.arange(len(begun)), np.maximum(begun - 1, 0)]
        return np.where(begun > 0, last, np.nan)


def best_number(topologies: int) -> int:
    """How many of so many topologies count as the best."""
    return ceil(TOP * topologies)


def judged(
    benchmark: TopologyBenchmark, split: ScoredSplit, named: NDArray[np.intp]
) -> tuple[Scores, Scores, Scores]:
    """Quality, best and threshold, by the seeds that a search has not seen."""
    judge = benchmark.array(split)[:, :, -1]
    last = best_number(len(judge)) - 1
    scores = np.array(
        [
            np.delete(judge, number % judge.shape[1], axis=1).mean(axis=1)
            for number in range(len(named))
        ]
    )
    ranked = np.sort(scores, axis=1)[:, ::-1]
    return np.take_along_axis(scores, named, axis=1), ranked[:, 0], ranked[:, last]
