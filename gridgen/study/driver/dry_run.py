"""Sampling without training: which candidates a search would ask for, and what it would refuse."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from gridgen.arguments import checked
from gridgen.data.datasets import folder_of, load_dataset
from gridgen.errors import DataError, SpecError
from gridgen.progress import OnProgress, no_progress
from gridgen.study.candidates.counting import CountedCandidate
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.candidates.reachable import reachable
from gridgen.study.driver.latencies import PredictedLatency
from gridgen.study.driver.phases import nothing_left
from gridgen.study.engine.screening import require_screen
from gridgen.study.language.objectives import LATENCY, further_scores
from gridgen.study.language.requirements import fitting_splits
from gridgen.study.language.study import Study
from gridgen.study.proposals.proposals import Proposals
from gridgen.study.trials import Candidate, Training, TrialRecord
from gridgen.training.run.folder import Run


@dataclass(frozen=True)
class Sampled:
    """Candidates in the order in which they were proposed; `refused` counts others by reason.

    `stopped` says why there are fewer than were asked for, `unchecked` what a search will need and
    is not there yet.
    """

    candidates: Sequence[Candidate]
    refused: Counter[str]
    stopped: str
    unchecked: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        told = [
            {"name": each.name, "spec": each.network.plain(), "recipe": dict(each.recipe)}
            | dict(each.costs)
            for each in self.candidates
        ]
        return {
            "candidates": told,
            "refused": dict(self.refused),
            "stopped": self.stopped,
            "unchecked": self.unchecked,
        }


@checked
def sampled(study: Study, many: int, on_progress: OnProgress = no_progress) -> Sampled:
    """Propose `many` candidates, as a search would if all of them had the same score.

    What a search refuses before its first training is refused here too, but that data may be
    missing. Errors: `SpecError`; `RunError` where a supernet is missing.

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
    unchecked, drawing = _unchecked(study), Drawing(study)
    reachable(drawing)
    if study.latency is not None:  # which nothing measures here
        predicted = PredictedLatency(study, study.latency)
        drawing.measured = partial(_timed, predicted)
    proposals = Proposals(study, drawing)
    found: list[Candidate] = []
    while len(found) < many:
        on_progress(len(found), many)
        proposal = proposals.propose()
        if proposal is None:
            left = nothing_left(proposals.drawing)
            return Sampled(found, proposals.drawing.refused, left, unchecked)
        number = len(found)
        found.append(proposal.candidate)
        proposals.begun(number, proposal.candidate)
        row = dict.fromkeys(further_scores(study.against), 0.0)
        trained = (Training(study.seeds[0], "finished", score=0.0, row=row),)
        proposals.ended(TrialRecord(number, "searched", "finished", proposal.candidate, trained))
    return Sampled(found, proposals.drawing.refused, "", unchecked)


def _unchecked(study: Study) -> str:
    """Refuse what a search would refuse, as far as it can be told; "" or what cannot.

    Errors: `SpecError`.
    """
    if study.supernet is None:
        require_screen(study, None)
    else:
        Run.open(study.supernet)
    try:
        fitting_splits(study)
    except SpecError as error:
        if error.field != ("data",) or _is_there(study.data):
            raise
        return f"nothing is checked against the data: {str(error).splitlines()[0]}"
    return ""


def _is_there(data: str) -> bool:
    folder = folder_of(data)
    if folder is not None:
        return folder.exists()
    try:
        load_dataset(data)
    except DataError:
        return False
    return True


def _timed(predicted: PredictedLatency, candidate: Candidate) -> CountedCandidate:
    """With the latency that is predicted; as quick as every other where nothing predicts it."""
    seconds = predicted.seconds(candidate)
    cost = 1 if seconds is None else max(1, round(1e6 * seconds))
    found = replace(candidate, costs={**candidate.costs, LATENCY: cost})
    return CountedCandidate(found, predicted.refusal(seconds))
