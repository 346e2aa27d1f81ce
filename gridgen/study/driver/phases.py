"""The phases of a search, each a source of candidates to train: baselines, search, confirmation."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from gridgen.study.candidates.baselines import FOUND, RANDOM, at_random
from gridgen.study.candidates.counting import confirmed
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.fronts import as_good
from gridgen.study.language.study import Study
from gridgen.study.methods import PRUNERS
from gridgen.study.proposals.proposals import Proposals
from gridgen.study.report.answer import best_ones, counted_baselines, of_role
from gridgen.study.trials import Candidate, Objectives, Role, TrialRecord

PRUNED_TOO = 3
"""Candidates begun for each that is to be trained, unless the study says how many."""


class PlannedTrial(NamedTuple):
    """A candidate to train, from which seeds, and what is kept with it."""

    candidate: Candidate
    role: Role
    seeds: tuple[int, ...]
    attributes: Mapping[str, Any] = MappingProxyType({})
    of: int | None = None
    known: str = ""


class PromotedTrial(NamedTuple):
    """A paused trial that goes on."""

    number: int


class SearchPhase(Protocol):
    """A source of trials."""

    title: str

    @property
    def wanted(self) -> int:
        """How many trials it is to train at most."""

    def next(self, records: Sequence[TrialRecord]) -> PlannedTrial | PromotedTrial | None:
        """What to train next beside the trials so far; None where that is nothing, or nothing
        before a trial that runs has ended or paused.
        """


@dataclass
class Listed:
    """Candidates that are known before the first is trained."""

    title: str
    left: deque[PlannedTrial]

    @property
    def wanted(self) -> int:
        """How many are left."""
        return len(self.left)

    def next(self, records: Sequence[TrialRecord]) -> PlannedTrial | None:
        """The first of those that are left."""
        return self.left.popleft() if self.left else None


@dataclass
class Searching:
    """Paused trials that go on and candidates that the sampler proposes, until the study's reasons
    to stop hold.

    `reason` says why fewer were trained than wanted; "" otherwise. `late`: because time was over,
    so that what is paused may go on at another start.
    """

    study: Study
    proposals: Proposals
    wanted: int
    title: str = "search"
    reason: str = ""
    late: bool = False
    started: float = field(default_factory=time.monotonic)
    # Why nothing new is begun, while what was begun may still go on.
    _last: str = field(default="", init=False)

    def next(self, records: Sequence[TrialRecord]) -> PlannedTrial | PromotedTrial | None:
        """A paused trial that is promoted, or else the next proposal."""
        searched = of_role(records, "searched")
        if self.reason or self._enough(searched):
            return None
        self.reason = self._over(searched)
        if self.reason:
            return None
        promoted = self.proposals.promoted()
        if promoted is None and not self._last:
            planned = self._planned(searched)
            if planned is not None or not self._last:
                return planned
        if promoted is None and not _running(searched):
            promoted = self.proposals.promoted(last=True)
            self.reason = self._last if promoted is None else ""
        return None if promoted is None else PromotedTrial(promoted)

    def _planned(self, searched: Sequence[TrialRecord]) -> PlannedTrial | None:
        # With a pruner, or failures, `trials` alone may begin many times as many.
        begun = self.study.stop.begun or PRUNED_TOO * self.wanted
        if len([each for each in searched if not each.known]) >= begun:
            self._last = f"{begun} candidates were begun; stop.begun allows more"
            return None
        if not self.proposals.ready:
            return None
        found = self.proposals.propose()
        if found is None:
            self._last = nothing_left(self.proposals.drawing)
            return None
        return PlannedTrial(found.candidate, "searched", self.study.seeds, found.attributes)

    def _enough(self, searched: Sequence[TrialRecord]) -> bool:
        """Whether as many are trained, or may be, as are wanted.

        A training that will pause once more is most likely none of them.
        """
        last = self.proposals.on_the_last_stretch
        found = (
            each.state == "finished" or (each.state == "running" and last(each.number))
            for each in searched
        )
        return sum(found) >= self.wanted

    def _over(self, searched: Sequence[TrialRecord]) -> str:
        """Why nothing at all is trained any more; "" otherwise."""
        stop = self.study.stop
        if stop.hours is not None and time.monotonic() - self.started >= stop.hours * 3600:
            self.late = True
            return f"{stop.hours:g} hours are over; searching again goes on"
        # Of all trials after each of them: counted only where a study stops by it.
        if stop.no_progress is not None:
            since = since_the_best(searched, self.study.objectives)
            if since >= stop.no_progress:
                return f"the last {since} candidates were no better than the best"
        return ""


def _running(records: Iterable[TrialRecord]) -> bool:
    return any(each.state == "running" for each in records)


def told_of(study: Study) -> Iterator[str]:
    """A line that says where the study's pruner pauses trainings, if it does."""
    pruner, recipe = PRUNERS[study.pruner], study.training
    if pruner.halving is None:
        return
    rungs = pruner.halving.rungs(recipe.epochs, recipe.validate_every)
    every = f"{recipe.epochs} epochs with a validation every {recipe.validate_every}"
    if not rungs:
        yield f"{study.pruner}: there is no rung in {every}; all are trained to the end"
        return
    listed = ", ".join(map(str, rungs))
    share = f"the best 1 of {pruner.halving.reduction} goes on"
    yield f"{study.pruner}: trainings pause at epoch {listed} of {recipe.epochs}; {share}"


def trained(records: Iterable[TrialRecord]) -> int:
    """How many searched candidates are trained to the end."""
    return sum(each.state == "finished" for each in of_role(records, "searched"))


def seeds_of(study: Study, record: TrialRecord) -> tuple[int, ...]:
    """The seeds of all trainings of a trial.

    The study may have asked for other confirmations when it began: what it has of these counts.
    """
    if record.role != "confirmation":
        return study.seeds
    fresh = fresh_seeds(study.seeds, study.confirm.seeds if study.confirm is not None else 1)
    return tuple(dict.fromkeys((*fresh, *(each.seed for each in record.trainings))))


def since_the_best(searched: Iterable[TrialRecord], objectives: Objectives) -> int:
    """The number of trials that ended after the last one that none before had beaten."""
    known, since = list[tuple[float, ...]](), 0
    for each in searched:
        if each.state in ("running", "paused"):
            continue
        merits = each.merits(objectives) if each.state == "finished" else None
        better = merits is not None and not any(as_good(other, merits) for other in known)
        since = 0 if better else since + 1
        # One that is no better is as good as nothing that the others are not.
        known += [merits] if better and merits is not None else []
    return since


def nothing_left(drawing: Drawing) -> str:
    """What to say where no new candidate was found."""
    if drawing.countable:
        return "all candidates that meet the budget have been tried"
    reasons = drawing.refused.most_common(1)
    often = f" ({reasons[0][0]})" if reasons else ""
    return f"no new candidate was found in many tries{often}; widen space or budget"


def baselines(study: Study, records: Sequence[TrialRecord]) -> tuple[Listed, list[str]]:
    """The baselines that are one network, and a line for each that there is not."""
    done = {each.candidate.name for each in records if each.role == "baseline"}
    asked, lines = deque[PlannedTrial](), []
    for name in study.baselines:
        if name in FOUND:
            found = FOUND[name](study)
            if isinstance(found, str):
                lines.append(f"baseline {name}: {found}")
            elif found.name not in done:
                asked.append(PlannedTrial(found, "baseline", study.seeds))
    return Listed("baselines", asked), lines


def drawn_at_random(study: Study, drawing: Drawing, records: Sequence[TrialRecord]) -> Listed:
    """As many candidates as the search has begun, drawn at random."""
    begun = sum(each.role == "searched" for each in records) * (RANDOM in study.baselines)
    done = sum(each.role == "baseline" and bool(each.candidate.params) for each in records)
    drawn = islice(at_random(drawing, begun), done, None)
    asked = (PlannedTrial(each, "baseline", study.seeds) for each in drawn)
    return Listed("random baseline", deque(asked))


def confirmations(study: Study, records: Sequence[TrialRecord]) -> Listed:
    """The best, and the baselines, with seeds that no choice has seen.

    Where the study asks for more seeds than before, those that were trained are taken over.
    """
    asked = deque[PlannedTrial]()
    if study.confirm is not None:
        seeds = fresh_seeds(study.seeds, study.confirm.seeds)
        again = of_role(records, "confirmation")
        done = {each.of for each in again if not _lacks(each, seeds)}
        best = best_ones(of_role(records, "searched"), study.objectives, study.confirm.top)
        for each in (*best, *counted_baselines(records)):
            if each.number not in done:
                candidate = confirmed(study, each.candidate)
                asked.append(PlannedTrial(candidate, "confirmation", seeds, of=each.number))
    return Listed("confirmation", asked)


def _lacks(record: TrialRecord, seeds: Iterable[int]) -> bool:
    """Whether a trial has finished, but not with all of these seeds."""
    return record.state == "finished" and not {*seeds} <= {each.seed for each in record.trainings}


def fresh_seeds(used: Sequence[int], number: int) -> tuple[int, ...]:
    """The first numbers that are none of the seeds that were used.

    >>> fresh_seeds((0, 1, 5), 3)
    (2, 3, 4)
    """
    return tuple(islice((seed for seed in count() if seed not in used), number))
