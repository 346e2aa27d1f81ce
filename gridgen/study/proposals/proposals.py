"""What is proposed next, and which training is given up: from a study of Optuna's in memory.

It is filled anew from the stored trials at each start, so that samplers and pruners see what they
should see: means over seeds, and of `reproducible` searches only what was known at the last
barrier, whatever ended meanwhile.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from gridgen.space.choices import Params
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.language.study import Study
from gridgen.study.methods import PRUNERS, SAMPLERS
from gridgen.study.proposals.distributions import distribution, in_optuna, to_optuna
from gridgen.study.proposals.sampler import FeasibleSampler, NothingNew, suggested
from gridgen.study.trials import Candidate, Curve, TrialRecord

NAME = "gridgen"
WAVE = 8
"""Candidates that a reproducible search proposes from one barrier to the next."""

STATES = {
    "finished": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    # A sampler learns that there is nothing to be had there.
    "infeasible": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


class Proposal(NamedTuple):
    """A candidate to train, and what the sampler notes of it."""

    candidate: Candidate
    attributes: dict[str, Any]


@dataclass
class Proposals:
    """The trials of a search as its sampler and its pruner see them."""

    study: Study
    drawing: Drawing
    reproducible: bool = False
    known: set[str] = field(default_factory=set, init=False)
    _ended: list[TrialRecord | None] = field(default_factory=list, init=False)
    _proposed: str = field(default="", init=False)
    _told: int = field(default=0, init=False)
    _places: dict[int, int] = field(default_factory=dict, init=False)
    _judges: dict[int, optuna.Study] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.memory = self._empty()

    def _empty(self) -> optuna.Study:
        epochs = self.study.training.epochs
        pruner = PRUNERS[self.study.pruner].make(epochs)
        return optuna.create_study(direction="maximize", study_name=NAME, pruner=pruner)

    def restore(self, records: Iterable[TrialRecord]) -> None:
        """Take up the trials of an earlier start, in their order."""
        for record in records:
            self.known.add(record.candidate.key)
            if record.role == "searched":
                self.begun(record.number, record.candidate, record.attributes)
                if record.state != "running":
                    self.ended(record)

    @property
    def ready(self) -> bool:
        """Whether a proposal may be asked for; a reproducible search waits at its barriers."""
        at_barrier = self.reproducible and len(self._ended) % WAVE == 0
        return not at_barrier or None not in self._ended

    def propose(self) -> Proposal | None:
        """The next candidate; None where nothing new is left. It depends on the seed, on the
        number of trials, and on those that are told, alone.
        """
        self._catch_up()
        number = len(self._ended)
        random = Random(f"{self.study.seed} {number}")
        make = SAMPLERS[self.study.sampler].make
        # A sampler of its own for each proposal: one that is kept would draw other numbers after a
        # kill than without one.
        base = None if make is None else make(self.study.seed + number)

        def choose(point: Params | None) -> Candidate | None:
            if point is None:
                return self.drawing.next(self.known.__contains__)
            asked = self.drawing.candidate(point, self.known.__contains__)
            return asked or self.drawing.draw(random, self.known.__contains__)

        sampler = FeasibleSampler(base, self.study.dimensions, choose)
        self.memory.sampler = sampler
        trial = self.memory.ask()
        try:
            # Asked for here, as Optuna asks for no point of which each value is the only one.
            trial.relative_params  # noqa: B018
            suggested(trial, self.study.dimensions)
        except NothingNew:
            self.memory.tell(trial, state=TrialState.FAIL)
            self._ended.append(_NOTHING)
            return None
        assert sampler.chosen is not None
        self._ended.append(None)
        self._proposed = sampler.chosen.key
        stored = self._stored(number)
        # What samplers note of a proposal on its way is of no use to a later start.
        kept = {n: v for n, v in stored.system_attrs.items() if "relative_params" not in n}
        return Proposal(sampler.chosen, kept)

    def begun(
        self, number: int, candidate: Candidate, attributes: Mapping[str, Any] | None = None
    ) -> None:
        """The candidate is the trial of this number, be it the last proposal or another's."""
        self.known.add(candidate.key)
        if self._proposed != candidate.key:
            if not self._fits(candidate.params):
                return
            self._catch_up()
            self._add(candidate.params, dict(attributes or {}))
        self._proposed = ""
        self._places[number] = len(self._ended) - 1

    def scored(self, number: int, epoch: int, score: float) -> bool:
        """Note a validation, and say whether the pruner gives the trial up."""
        place = self._places.get(number)
        if place is None:
            return False
        judge = self._judge(place)
        trial = _trial(judge, place)
        if epoch not in judge.get_trials(deepcopy=False)[place].intermediate_values:
            trial.report(score, epoch)
        return trial.should_prune()

    def ended(self, record: TrialRecord) -> None:
        """Note the end of a trial, which samplers learn at the next barrier or at once."""
        place = self._places.get(record.number)
        if place is None:
            return
        self._ended[place] = record
        self._judges.pop(place, None)
        if not self.reproducible:
            self._tell(place, record)

    def _catch_up(self) -> None:
        """At a barrier, tell all that has ended before it, in the order of the trials."""
        if self.reproducible and self.ready and len(self._ended) % WAVE == 0:
            for place in range(self._told, len(self._ended)):
                record = self._ended[place]
                assert record is not None
                self._tell(place, record)
            self._told = len(self._ended)

    def _tell(self, place: int, record: TrialRecord) -> None:
        if record is _NOTHING:
            return
        trial = _trial(self.memory, place)
        said = self._stored(place).intermediate_values
        for epoch, score in _curve(record):
            if epoch not in said:
                trial.report(score, epoch)
                # Halving keeps what it found at a rung with the trial; its answer is known here.
                trial.should_prune()
        state = STATES[record.state]
        value = record.score if state is TrialState.COMPLETE else None
        self.memory.tell(trial, value, state)

    def _judge(self, place: int) -> optuna.Study:
        """What the pruner compares a trial with: all, or what was known at the last barrier."""
        if not self.reproducible:
            return self.memory
        if place not in self._judges:
            judge = self._judges[place] = self._empty()
            for trial in self.memory.get_trials(deepcopy=False)[: place + 1]:
                judge.add_trial(trial)
        return self._judges[place]

    def _add(self, params: Params, attributes: dict[str, Any]) -> None:
        self.memory.add_trial(
            create_trial(
                state=TrialState.RUNNING,
                **in_optuna(self.study.dimensions, params),
                system_attrs=attributes,
            )
        )
        self._ended.append(None)

    def _fits(self, params: Params) -> bool:
        """Whether these are values of this space; those of a table may be of another."""
        named = self.study.dimensions.named
        if not params or not params.keys() <= named.keys():
            return False
        every = ((distribution(named[n]), named[n], value) for n, value in params.items())
        try:
            return all(d._contains(d.to_internal_repr(to_optuna(n, v))) for d, n, v in every)
        except (ValueError, TypeError):
            return False

    def _stored(self, place: int) -> FrozenTrial:
        return self.memory.get_trials(deepcopy=False)[place]


_NOTHING: Any = object()
"""Stands in place of a trial for which nothing new was found."""


def _trial(study: optuna.Study, place: int) -> Trial:
    # Optuna has no public way from a trial's number to one that can be told its score.
    return Trial(study, study.get_trials(deepcopy=False)[place]._trial_id)


def _curve(record: TrialRecord) -> Curve:
    """The validations of the first seed, at which pruning looks."""
    return record.trainings[0].curve if record.trainings else ()
