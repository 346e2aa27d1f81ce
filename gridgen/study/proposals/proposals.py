"""What a search does next: the candidates it proposes, what it pauses or ends, what goes on.

All of it is known anew from the stored trials at each start. A `reproducible` search decides by
what was known at its last barrier alone, whatever has ended meanwhile.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from random import Random
from typing import Any, NamedTuple

from gridgen.space.choices import Params
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.language.study import Study
from gridgen.study.methods import PRUNERS, SAMPLERS
from gridgen.study.proposals.forecast import Forecast
from gridgen.study.proposals.sampler import FeasibleSampler
from gridgen.study.proposals.seen import SeenTrials
from gridgen.study.trials import Candidate, TrialRecord, log_costs

WAVE = 8
"""Candidates that a reproducible search proposes from one barrier to the next."""

Reports = Callable[[int], Mapping[int, float]]
"""Gives the validations of a trial that is not over: score by epoch."""


class Proposal(NamedTuple):
    """A candidate to train, and what the sampler notes of it."""

    candidate: Candidate
    attributes: dict[str, Any]


@dataclass
class _Proposed:
    """A trial on its way. `number` is below 0 where nothing new was found for its place."""

    number: int = -1
    curve: dict[int, float] = field(default_factory=dict)
    costs: Mapping[str, int] = field(default_factory=dict)
    record: TrialRecord | None = None
    # The epoch up to which samplers saw it when it last paused.
    shown: int = 0


@dataclass
class Proposals:
    """The searched trials as sampler and pruner see them, and what these say is to be done."""

    study: Study
    drawing: Drawing
    reproducible: bool = False
    known: set[str] = field(default_factory=set, init=False)
    _trials: list[_Proposed] = field(default_factory=list, init=False)
    _places: dict[int, int] = field(default_factory=dict, init=False)
    _proposed: str = field(default="", init=False)
    # Places that samplers have not been told the end of.
    _open: list[int] = field(default_factory=list, init=False)
    _barrier: int = field(default=0, init=False)
    _promoted: deque[int] = field(default_factory=deque, init=False)

    def __post_init__(self) -> None:
        recipe, pruner = self.study.training, PRUNERS[self.study.pruner]
        directions = [*self.study.objectives.values()]
        self.seen = SeenTrials(self.study.dimensions, pruner, recipe.epochs, directions)
        self.rungs = pruner.rungs(recipe.epochs, recipe.validate_every)
        self.forecast = Forecast(self.study.against) if self.study.prefilter else None

    def restore(self, records: Iterable[TrialRecord], reports: Reports) -> None:
        """Take up the trials of an earlier start, in their order."""
        for record in records:
            if record.role == "searched":
                self.begun(record.number, record.candidate, record.attributes)
                if record.state == "running":
                    self._take_up(record.number, reports(record.number))
                else:
                    self.ended(record)

    @property
    def ready(self) -> bool:
        """Whether a proposal may be asked for; a reproducible search waits at its barriers."""
        return not self._at_barrier or all(self._rests(place) for place in self._open)

    def propose(self) -> Proposal | None:
        """The next candidate; None where nothing new is left. It depends on the seed, on the
        number of trials, and on those that are told, alone.
        """
        self._catch_up()
        number = len(self._trials)
        random = Random(f"{self.study.seed} {number}")
        make = SAMPLERS[self.study.sampler].make
        # A sampler of its own for each proposal: one that is kept would draw other numbers after a
        # kill than without one.
        base = None if make is None else make(self.study.seed + number)

        # With the recipe of another where that was the sampler's choice: costs do not tell it.
        def draw(like: Candidate | None = None) -> Candidate | None:
            return self.drawing.draw(random, self.known.__contains__, like)

        def choose(point: Params | None) -> Candidate | None:
            if point is None:
                return self.drawing.next(self.known.__contains__)
            asked = self.drawing.candidate(point, self.known.__contains__)
            first = asked or draw()
            if first is None or self.forecast is None:
                return first
            return self.forecast.choose(first, lambda: draw(first))

        sampler = FeasibleSampler(base, self.study.dimensions, choose)
        noted = self.seen.ask(sampler)
        self._trials.append(_Proposed())
        if noted is None:
            return None
        assert sampler.chosen is not None
        self._open.append(number)
        self._proposed = sampler.chosen.key
        return Proposal(sampler.chosen, noted)

    def begun(
        self, number: int, candidate: Candidate, attributes: Mapping[str, Any] | None = None
    ) -> None:
        """The candidate is the trial of this number, be it the last proposal or another's."""
        self.known.add(candidate.key)
        if self._proposed != candidate.key:
            if not self.seen.fits(candidate.params):
                return
            self._catch_up()
            self.seen.add(candidate.params, attributes or {})
            self._open.append(len(self._trials))
            self._trials.append(_Proposed())
        self._proposed = ""
        self._places[number] = len(self._trials) - 1
        self._trials[-1].number = number
        if self.forecast is not None:
            self.forecast.begin(candidate)
        self._trials[-1].costs = candidate.costs
        costs = log_costs(candidate, self.study.against)
        if costs:
            self.seen.price(self._places[number], costs)
        if costs and self.rungs is not None:
            self.rungs.costs[number] = costs

    def scored(self, number: int, epoch: int, score: float) -> bool:
        """Note a validation, and say whether the training is to stop there.

        It may be paused, as `waits` then tells, or ended for good.
        """
        place = self._places.get(number)
        if place is None:
            return False
        if self.rungs is None:
            return self.seen.judged(place, epoch, score, apart=self.reproducible)
        self._trials[place].curve[epoch] = score
        stops = self.rungs.reached(number, epoch, score)
        if stops and not self.reproducible:
            self._show(place)
        return stops

    def waits(self, number: int) -> bool:
        """Whether a trial is paused: at its rung, or promoted and not gone on yet."""
        if self.rungs is None or number not in self._places:
            return False
        return self.rungs.paused(number) or number in self._promoted

    def on_the_last_stretch(self, number: int) -> bool:
        """Whether no rung lies ahead of a trial, so that its training goes on to its end."""
        if self.rungs is None or number not in self._places:
            return True
        return self.rungs.passed(number)

    def promoted(self, last: bool = False) -> int | None:
        """The number of a paused trial that goes on now; None where none does.

        With `last` no trial runs and nothing new will be begun: of each rung one goes on at least.
        """
        if self.rungs is None:
            return None
        self._catch_up()
        while True:
            while self._promoted:
                number = self._promoted.popleft()
                # A later start finds again what went on before, and how far it came.
                if not self._rests(self._places[number]):
                    return number
            if not (last or not self.reproducible):
                return None
            found = self.rungs.promotable() or self.rungs.promotable(int(last))
            if not found:
                return None
            self._promote(found if self.reproducible else found[:1])

    def ended(self, record: TrialRecord) -> None:
        """Note the end of a trial, which samplers learn at the next barrier or at once."""
        place = self._places.get(record.number)
        if place is None:
            return
        self._take_up(record.number, _curve(record))
        self._trials[place].record = record
        if not self.reproducible:
            self._show(place)
            self._open.remove(place)

    @property
    def _at_barrier(self) -> bool:
        many = len(self._trials)
        return self.reproducible and many % WAVE == 0 and self._barrier < many

    def _catch_up(self) -> None:
        """At a barrier, tell what has ended or paused before it, in the order of the trials, and
        choose what goes on.
        """
        if not self._at_barrier or not self.ready:
            return
        self._barrier = len(self._trials)
        for place in self._open:
            self._show(place)
        self._open = [place for place in self._open if self._paused(place)]
        if self.rungs is not None:
            self._promote(self.rungs.promotable())

    def _promote(self, numbers: list[int]) -> None:
        assert self.rungs is not None
        for number in numbers:
            self.rungs.promote(number)
        self._promoted.extend(numbers)

    def _paused(self, place: int) -> bool:
        return self.rungs is not None and self.rungs.paused(self._trials[place].number)

    def _rests(self, place: int) -> bool:
        return self._trials[place].record is not None or self._paused(place)

    def _show(self, place: int) -> None:
        """Show a trial to samplers: as paused, or else as it ended."""
        trial, record = self._trials[place], self._trials[place].record
        # What a later start finds ended was only paused at the barriers before.
        paused = self._paused(place) and (self.reproducible or record is None)
        if paused and self.rungs is not None:
            until = self.rungs.epoch(trial.number)
            curve = [(epoch, score) for epoch, score in trial.curve.items() if epoch <= until]
            if trial.shown < until:
                self.seen.show(place, curve, "paused", self._so_far(trial, curve[-1][1]))
            trial.shown = until
        elif record is not None:
            values = record.values(self.study.objectives)
            reached = _curve(record)
            if record.state == "pruned" and reached:
                values = self._so_far(trial, reached[max(reached)])
            self.seen.show(place, reached.items(), record.state, values)
            if self.forecast is not None:
                whole = record.state == "finished"
                self.forecast.learn(record.candidate, record.score if whole else None)

    def _so_far(self, trial: _Proposed, score: float) -> list[float] | None:
        """The values of a training that stopped with a score; None where not all are numbers."""
        costs = [trial.costs.get(name) for name in self.study.against]
        known = [float(cost) for cost in costs if cost is not None]
        return [score, *known] if len(known) == len(costs) and isfinite(score) else None

    def _take_up(self, number: int, curve: Mapping[int, float]) -> None:
        """Note validations of an earlier start, or of a training that was known."""
        if self.rungs is None or number not in self._places:
            return
        self._trials[self._places[number]].curve.update(curve)
        if not self.reproducible:
            self.rungs.take_up(number, sorted(curve.items()))
            return
        # How far it was promoted follows from the barriers, which are come by again.
        for epoch, score in sorted(curve.items()):
            self.rungs.reached(number, epoch, score)


def _curve(record: TrialRecord) -> dict[int, float]:
    """The validations of the first seed, at which pruning looks."""
    return dict(record.trainings[0].curve) if record.trainings else {}
