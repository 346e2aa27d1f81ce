"""The result of a search, as Python has it and as `gridgen search` prints it."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gridgen.shown import Shown, ShownRows
from gridgen.spec import NetworkSpec
from gridgen.study.report.answer import SearchAnswer, of_role
from gridgen.study.report.asked import Asked
from gridgen.study.report.statistics import SeedScores
from gridgen.study.report.tradeoffs import front_rows
from gridgen.study.trials import TrialRecord

MOST_PRINTED = 10
"""Candidates that a table prints."""
WRITTEN = ("report.html", "best.yaml", "trials.csv", "trainings.csv")
STATES = ("finished", "pruned", "failed", "infeasible", "paused", "running")


@dataclass(frozen=True, repr=False)
class Result(Shown):
    """The outcome of a search: every trial of it, in `folder`."""

    folder: Path
    asked: Asked
    records: tuple[TrialRecord, ...]

    @cached_property
    def answer(self) -> SearchAnswer:
        """What it found, and how sure that is."""
        return SearchAnswer.of(self.asked, self.records)

    @property
    def entries(self) -> tuple[TrialRecord, ...]:
        """The candidates that were searched and trained to the end, the best first."""
        return tuple(self.answer.entries)

    @property
    def best(self) -> NetworkSpec | None:
        """The network of the highest score, of fresh seeds where there are any; None if nothing was
        trained.
        """
        return self.entries[0].candidate.network if self.entries else None

    @property
    def baseline(self) -> TrialRecord | None:
        """The baseline of the highest score; None if none was trained."""
        return self.answer.baseline

    @property
    def numbers(self) -> dict[str, int]:
        """How many candidates of the search are in each state, and how many were refused."""
        found = Counter[str](each.state for each in of_role(self.records, "searched"))
        refused = sum(self.asked.refused.values())
        return {state: found[state] for state in STATES if found[state]} | {"refused": refused}

    @property
    def files(self) -> tuple[Path, ...]:
        """What the search wrote into its folder."""
        return tuple(self.folder / name for name in WRITTEN if (self.folder / name).is_file())

    def as_json(self) -> dict[str, Any]:
        """The answer in plain values: sentences, numbers by state, and the best first."""
        return {
            "headline": self.answer.headline,
            "comparisons": self.answer.sentences,
            "numbers": self.numbers,
            "refused": dict(self.asked.refused),
            "stopped": self.asked.stopped,
            "scores": self.asked.screened or None,
            "objectives": dict(self.asked.objectives),
            "front": [each.number for each in self.answer.front] if self.asked.against else None,
            "candidates": [record.as_json() for record in self.entries],
            "baselines": [record.as_json() for record in self.answer.baselines],
        }

    def rows(self) -> ShownRows:
        """The best candidate, the baseline, and how many there were of each sort."""
        told = [("best", self.answer.best), ("baseline", self.answer.baseline)]
        scored = [
            (what, f"{each.candidate.name}: {self._scores(each)}")
            for what, each in told
            if each is not None
        ]
        screened = [("scores", self.asked.screened)] if self.asked.screened else []
        return [*scored, *((s, f"{many:,}") for s, many in self.numbers.items()), *screened]

    def _scores(self, record: TrialRecord) -> str:
        """Mean and spread, and those of fresh seeds where there are any."""
        digits, fresh = self.asked.digits, self.answer.confirmed(record)
        told = SeedScores("", record.scores).told(digits)
        return told if fresh is None else f"{told}, fresh seeds {fresh.told(digits)}"

    def table(self) -> list[list[str]]:
        """The best candidates, or with several objectives the front, and the baselines as rows of a
        table, its titles first.
        """
        if self.asked.against:
            return front_rows(self.asked, self.answer.front, self.answer.baselines)
        shown = [*self.entries[:MOST_PRINTED], *self.answer.baselines]
        return [["trial", self.asked.objective, "parameters", "candidate"], *map(self._row, shown)]

    def _row(self, record: TrialRecord) -> list[str]:
        parameters = record.candidate.costs.get("parameters")
        return [
            str(record.number) if record.role == "searched" else record.role,
            self._scores(record),
            "" if parameters is None else f"{parameters:,}",
            record.candidate.name,
        ]
