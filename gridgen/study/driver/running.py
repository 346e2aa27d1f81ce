"""A trial on its way: which of its trainings are over, which runs, which are to come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite, nan

from gridgen.errors import OutOfMemoryError, TrainingError
from gridgen.study.engine.engine import Pruned, TrainingOutcome
from gridgen.study.trials import Training, TrainingEnd, TrialRecord, TrialState


@dataclass
class RunningTrial:
    """A trial that has trainings left, or is paused: one for each of `seeds`, in their order.

    Unless `together`, the others begin when the first is over, since a trial that is pruned in it
    has no others.
    """

    record: TrialRecord
    seeds: tuple[int, ...]
    together: bool = False
    _submitted: set[int] = field(default_factory=set, init=False)
    # Of the first training, while it is paused and until it goes on.
    epoch: int = field(default=0, init=False)
    _seconds: float = field(default=0.0, init=False)

    def due(self) -> Iterator[int]:
        """The seeds that can be trained now."""
        if any(each.state != "finished" for each in self.record.trainings):
            return
        over = {each.seed for each in self.record.trainings}
        waiting = [seed for seed in self.seeds if seed not in over | self._submitted]
        first_alone = not self.together and self.seeds[0] not in over
        yield from waiting[: not self._submitted] if first_alone else waiting

    def submitted(self, seed: int) -> None:
        """The training of a seed runs."""
        self._submitted.add(seed)

    def paused(self, epoch: int, seconds: float = 0.0) -> None:
        """The first training stopped after an epoch, and may go on; so long it ran."""
        self._submitted.discard(self.seeds[0])
        self.epoch = epoch
        self._seconds += seconds

    def over(self, training: Training) -> Training:
        """A training has ended, or was taken from elsewhere; it, with all the time it took."""
        self._submitted.discard(training.seed)
        if training.seed == self.seeds[0]:
            seconds = round(training.seconds + self._seconds, 3)
            training = replace(training, seconds=seconds)
        ended = (*self.record.trainings, training)
        ordered = sorted(ended, key=lambda each: self.seeds.index(each.seed))
        self.record = replace(self.record, trainings=tuple(ordered))
        return training

    @property
    def end(self) -> TrialState:
        """How the trial has ended, or `running`.

        A training without a score ends it, but not before those that run beside it are over.
        """
        if self._submitted:
            return "running"
        for state in ("infeasible", "failed", "pruned"):
            if any(_end(each) == state for each in self.record.trainings):
                return state
        return "finished" if len(self.record.trainings) == len(self.seeds) else "running"

    @property
    def reason(self) -> str:
        """Why it ended without a score; "" where it has one."""
        return next((each.reason for each in self.record.trainings if each.reason), "")


OUT_OF_MEMORY = "memory ran out: "
"""Begins the reason of a training that needs more memory than there is."""


def _end(training: Training) -> TrialState:
    short = training.state == "failed" and training.reason.startswith(OUT_OF_MEMORY)
    return "infeasible" if short else training.state


def ended_training(outcome: TrainingOutcome, columns: Sequence[str], folder: str) -> Training:
    """What is kept of a training that has ended; `columns` are the score, and what else it must
    give.
    """
    state: TrainingEnd = "finished"
    score, reason = outcome.row.get(columns[0]), outcome.scored_by
    missing = next((name for name in columns if not isfinite(outcome.row.get(name, nan))), "")
    match outcome.failure:
        case Pruned(score=reached):
            state, score = "pruned", reached
        case OutOfMemoryError() as error:
            state, score, reason = "failed", None, f"{OUT_OF_MEMORY}{error}"
        case TrainingError() as error:
            state, score, reason = "failed", None, str(error)
        case None if missing and missing not in outcome.row:
            state, score = "failed", None
            reason = f"there is no {missing} among its scores: {', '.join(outcome.row)}"
        case None if missing:
            named = "the score" if missing == columns[0] else missing
            state, reason, score = "failed", f"{named} is {outcome.row[missing]}", None
    return Training(
        seed=outcome.job.seed,
        state=state,
        score=score,
        row=dict(outcome.row),
        curve=outcome.curve,
        seconds=round(outcome.seconds, 3),
        folder="" if outcome.scored_by else folder,
        reason=reason,
    )
