"""Sampling without training: which candidates a search would ask for, and what it would refuse."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from gridgen.arguments import checked
from gridgen.progress import OnProgress, no_progress
from gridgen.study.candidates.counting import CountedCandidate
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.driver.latencies import PredictedLatency
from gridgen.study.driver.phases import nothing_left
from gridgen.study.language.objectives import LATENCY
from gridgen.study.language.study import Study
from gridgen.study.proposals.proposals import Proposals
from gridgen.study.trials import Candidate, Training, TrialRecord


@dataclass(frozen=True)
class Sampled:
    """Candidates in the order in which they were proposed; `refused` counts others by reason.

    `stopped` says why there are fewer than were asked for.
    """

    candidates: Sequence[Candidate]
    refused: Counter[str]
    stopped: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        told = [
            {"name": each.name, "spec": each.network.plain(), "recipe": dict(each.recipe)}
            | dict(each.costs)
            for each in self.candidates
        ]
        return {"candidates": told, "refused": dict(self.refused), "stopped": self.stopped}


@checked
def sampled(study: Study, many: int, on_progress: OnProgress = no_progress) -> Sampled:
    """Propose `many` candidates, as a search would if all of them had the same score.

    >>> study = Study.parse('''
    ... data: shapes
    ... spec: {classes: 3, columns: 1+1}
    ... space: {streams: [2, 3], base_channels: [4, 8]}
    ... budget: {parameters: 20000}
    ... recipe: demo
    ... ''')
    >>> found = sampled(study, 10)
    >>> len(found.candidates), found.stopped
    (3, 'all candidates that meet the budget have been tried')
    """
    drawing = Drawing(study)
    if study.latency is not None:  # which nothing measures here
        predicted = PredictedLatency(study, study.latency)
        drawing.measured = partial(_timed, predicted)
    proposals = Proposals(study, drawing)
    found: list[Candidate] = []
    while len(found) < many:
        on_progress(len(found), many)
        proposal = proposals.propose()
        if proposal is None:
            return Sampled(found, proposals.drawing.refused, nothing_left(proposals.drawing))
        number = len(found)
        found.append(proposal.candidate)
        proposals.begun(number, proposal.candidate)
        trained = (Training(study.seeds[0], "finished", score=0.0),)
        proposals.ended(TrialRecord(number, "searched", "finished", proposal.candidate, trained))
    return Sampled(found, proposals.drawing.refused, "")


def _timed(predicted: PredictedLatency, candidate: Candidate) -> CountedCandidate:
    """With the latency that is predicted; as quick as every other where nothing predicts it."""
    seconds = predicted.seconds(candidate)
    cost = 1 if seconds is None else max(1, round(1e6 * seconds))
    found = replace(candidate, costs={**candidate.costs, LATENCY: cost})
    return CountedCandidate(found, predicted.refusal(seconds))
