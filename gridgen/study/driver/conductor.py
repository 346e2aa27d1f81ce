"""Conducting trials: fill the engine's places, listen, write down what ends."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gridgen.errors import TrainingError
from gridgen.study.driver.phases import PlannedTrial, PromotedTrial, SearchPhase
from gridgen.study.driver.running import RunningTrial, ended_training
from gridgen.study.engine.engine import Engine, Pruned, ReportScore, TrainingJob, TrainingOutcome
from gridgen.study.language.objectives import LATENCY, further_scores
from gridgen.study.language.study import Study
from gridgen.study.proposals.distributions import in_optuna
from gridgen.study.proposals.proposals import Proposals
from gridgen.study.report.observer import SearchObserver
from gridgen.study.store.store import Store
from gridgen.study.trials import Curve, Training, TrialRecord, TrialState
from gridgen.training.recipe.recipe import changed_recipe
from gridgen.training.run.folder import TRIALS

FAILURES = 5
"""Trials in a row that fail, after which a search ends with an error."""


@dataclass
class Conductor:
    """The only one that writes to a study's store while a search goes on."""

    study: Study
    folder: Path
    store: Store
    engine: Engine
    watch: SearchObserver
    proposals: Proposals
    refused: Counter[str]
    records: dict[int, TrialRecord]
    running: dict[int, RunningTrial] = field(default_factory=dict, init=False)
    paused: dict[int, RunningTrial] = field(default_factory=dict, init=False)
    # Whose first training was told to stop and has not ended, and those of them that are promoted.
    _stopping: set[int] = field(default_factory=set, init=False)
    _going_on: set[int] = field(default_factory=set, init=False)
    _trained: dict[tuple[str, int], Training] = field(default_factory=dict, init=False)
    _begun: int = field(default=0, init=False)
    _told: Counter[str] = field(default_factory=Counter, init=False)
    _at_work: int = field(default=0, init=False)
    _failures: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._columns = (self.study.objective, *further_scores(self.study.against))
        for record in self.records.values():
            self.remember(record.candidate.key, record.trainings)

    def remember(self, key: str, trainings: Iterable[Training]) -> None:
        """Trainings of a candidate that need not be run again, by whatever trial or table."""
        done = (each for each in trainings if each.state == "finished")
        self._trained |= {(key, each.seed): each for each in done}

    @property
    def listed(self) -> list[TrialRecord]:
        """All trials so far, in their order."""
        return [*self.records.values()]

    def resume(self, seeds_of: Callable[[TrialRecord], tuple[int, ...]]) -> None:
        """Go on with the trials that an earlier start left running, each from its checkpoints."""
        for record in [each for each in self.records.values() if each.state == "running"]:
            trial = RunningTrial(record, seeds_of(record), self._together(record))
            self.running[record.number] = trial
            # All trainings of a trial may have been over when the earlier start was killed.
            self._settle(trial)
            waits = not record.trainings and self.proposals.waits(record.number)
            if waits and record.number in self.running:
                self._pause(trial)
        if self.paused:
            self.watch.noted(
                f"paused trials of an earlier start, which may go on: {len(self.paused)}"
            )

    def conduct(self, *phases: SearchPhase) -> None:
        """Train what the phases ask for, in their order, until that is nothing more."""
        while True:
            while self._at_work < self.engine.places and self._submit_next(phases):
                pass
            if not self._at_work:
                return
            self._ended(self.engine.wait())

    def _submit_next(self, phases: Sequence[SearchPhase]) -> bool:
        """Submit a training of a trial that runs, or else begin a trial; False if there is none."""
        for trial in self.running.values():
            for seed in trial.due():
                self._submit(trial, seed)
                return True
        asked = (phase.next(self.listed) for phase in phases)
        planned = next((each for each in asked if each is not None), None)
        for reason, many in (self.refused - self._told).items():
            self.watch.refused(reason, many)
        self._told = self.refused.copy()
        match planned:
            case None:
                return False
            case PromotedTrial(number=number):
                self._promote(number)
            case PlannedTrial():
                self._begin(planned)
        return True

    def _begin(self, planned: PlannedTrial) -> None:
        candidate = planned.candidate
        measured = self.proposals.drawing.measured
        if measured is not None:  # which baselines and known candidates are not yet
            candidate, refusal = measured(candidate)
            # Without a latency it has no place on a front, and over its limit it is no answer.
            if LATENCY not in candidate.costs or (refusal and planned.role == "baseline"):
                self.watch.noted(f"{planned.role} {candidate.name} is left out: {refusal}")
                return
        record = self.store.begin(
            candidate,
            planned.role,
            **in_optuna(self.study.dimensions, candidate.params),
            of=planned.of,
            known=planned.known,
            attributes=planned.attributes,
        )
        if planned.role == "searched":
            self.proposals.begun(record.number, candidate)
        self.records[record.number] = record
        trial = RunningTrial(record, planned.seeds, self._together(record))
        self.running[record.number] = trial
        for training in self._known(planned):
            self._over(trial, training)
            self._settle(trial)

    def _together(self, record: TrialRecord) -> bool:
        """Whether no training of the trial can make the others needless."""
        return self.study.pruner == "none" or record.role != "searched"

    # On a CPU they would be the same, bit for bit; on a GPU one more of them would say no more.
    def _known(self, planned: PlannedTrial) -> list[Training]:
        """Trainings of the same network in the same way from the same seeds."""
        keys = [(planned.candidate.key, seed) for seed in planned.seeds]
        return [self._trained[key] for key in keys if key in self._trained]

    def _promote(self, number: int) -> None:
        """Have a paused trial go on, at once or when its process has saved its state; one that is
        neither paused nor stopping has done so already.
        """
        trial = self.paused.pop(number, None)
        if trial is not None:
            self.running[number] = trial
            self.records[number] = trial.record
        elif number in self._stopping:
            self._going_on.add(number)

    def _submit(self, trial: RunningTrial, seed: int) -> None:
        record = trial.record
        first = seed == trial.seeds[0]
        recipe = changed_recipe(self.study.training, record.candidate.recipe)
        if recipe.supernet is not None:  # a candidate is one network
            recipe = recipe.but(supernet=None)
        job = TrainingJob(
            trial=record.number,
            seed=seed,
            network=record.candidate.network,
            recipe=recipe,
            folder=self.folder / training_folder(record.number, seed),
            report=self._reporting(record, seed, first, recipe.epochs),
            role=record.role,
        )
        trial.submitted(seed)
        self._at_work += 1
        if first and trial.epoch:
            self.watch.went_on(record.number, seed, trial.epoch)
        else:
            self._begun += 1
            self.watch.begun(record.number, seed, record.candidate, self._begun)
        self.engine.submit(job)

    def _reporting(self, record: TrialRecord, seed: int, first: bool, last: int) -> ReportScore:
        def report(epoch: int, score: float) -> bool:
            self.watch.scored(record.number, seed, epoch, score)
            if not first:
                return False
            self.store.report(record.number, epoch, score)
            if record.role != "searched":
                return False
            # After the last validation there is nothing to stop.
            stops = self.proposals.scored(record.number, epoch, score) and epoch < last
            if stops:
                self._stopping.add(record.number)
            return stops

        return report

    def _ended(self, outcome: TrainingOutcome) -> None:
        self._at_work -= 1
        job, trial = outcome.job, self.running[outcome.job.trial]
        first = job.seed == trial.seeds[0]
        goes_on = first and job.trial in self._going_on
        if first:
            self._stopping.discard(job.trial)
            self._going_on.discard(job.trial)
        pauses = first and (goes_on or self.proposals.waits(job.trial))
        if pauses and isinstance(outcome.failure, Pruned):
            self._pause(trial, outcome.seconds)
            self.watch.paused(self.records[job.trial], outcome.failure.score, outcome.seconds)
            if goes_on:
                self._promote(job.trial)
            return
        folder = training_folder(job.trial, job.seed)
        training = ended_training(outcome, self._columns, folder)
        if first:
            # One that went on may have told of what was new alone.
            curve = {**dict(self._curve(job.trial)), **dict(training.curve)}
            training = replace(training, curve=tuple(sorted(curve.items())))
        self._over(trial, training)
        self._settle(trial)

    def _pause(self, trial: RunningTrial, seconds: float = 0.0) -> None:
        number = trial.record.number
        epoch, _ = self._curve(number)[-1]
        trial.paused(epoch, seconds)
        self.paused[number] = self.running.pop(number)
        self.records[number] = trial.record.paused(epoch)

    def _curve(self, number: int) -> Curve:
        """The validations of a trial's first training so far."""
        return tuple(sorted(self.store.reports(number).items()))

    def end_paused(self) -> None:
        """Write the paused trials as pruned: the search is over, and none of them goes on."""
        ended = []
        for number, trial in [*self.paused.items()]:
            seed, curve = trial.seeds[0], self._curve(number)
            folder = training_folder(number, seed)
            self._promote(number)
            self._over(trial, Training(seed, "pruned", curve[-1][1], curve=curve, folder=folder))
            ended.append(self._finish(trial, "pruned"))
        if ended:
            self.watch.given_up(ended)

    def _over(self, trial: RunningTrial, training: Training) -> None:
        training = trial.over(training)
        self.remember(trial.record.candidate.key, [training])
        self.store.trained(trial.record.number, training)
        self.records[trial.record.number] = trial.record

    def _settle(self, trial: RunningTrial) -> None:
        """Write the end of a trial that has no trainings left."""
        end = trial.end
        if end == "running":
            return
        self.watch.ended(self._finish(trial, end))
        # A memory that is too small is no failure: the next candidate may be smaller.
        self._failures = self._failures + 1 if end == "failed" else 0
        if self._failures >= FAILURES:
            fact = f"{FAILURES} candidates in a row failed; the last: {trial.reason}"
            raise TrainingError(fact)

    def _finish(self, trial: RunningTrial, end: TrialState) -> TrialRecord:
        number = trial.record.number
        del self.running[number]
        # The store has trainings in the order in which they ended.
        ended = self.store.finish(number, end, trial.reason)
        record = self.records[number] = replace(ended, trainings=trial.record.trainings)
        if record.role == "searched":
            self.proposals.ended(record)
        return record


def training_folder(number: int, seed: int) -> str:
    """Where a training stands in the study's folder."""
    return f"{TRIALS}/{number:05d}/seed-{seed}"
