"""A search without trainings: candidates as a study proposes them, and scores from a table."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from gridgen.study.proposals.proposals import Proposals
from gridgen.study.trials import Candidate, Training, TrialRecord

CurveOf = Callable[[Candidate], Mapping[int, float]]
"""Gives the validations that a training of a candidate would have: score by epoch."""


class EndedTrial(NamedTuple):
    """A trial that is over, and the epochs that all trainings together have behind them by then."""

    record: TrialRecord
    epochs: int


def simulated(proposals: Proposals, begun: int, curve_of: CurveOf) -> Iterator[EndedTrial]:
    """The trials that end, one after the other, of a search that begins so many candidates.

    Pauses, promotions and pruning are those of a search with one place. What waits at the end is
    not among them. `proposals` are those of a search that begins.
    """
    epochs = 0
    records, reached = dict[int, TrialRecord](), Counter[int]()
    while (number := _next(proposals, records, begun)) is not None:
        record, until = _trained_on(proposals, records[number], curve_of, reached[number])
        epochs += until - reached[number]
        reached[number], records[number] = until, record
        if record.state != "paused":
            proposals.ended(record)
            yield EndedTrial(record, epochs)


def _next(proposals: Proposals, records: dict[int, TrialRecord], begun: int) -> int | None:
    """The number of the trial that is trained next: one that was promoted, or else a new one."""
    number = proposals.promoted()
    if number is not None or len(records) >= begun:
        return proposals.promoted(last=True) if number is None else number
    found = proposals.propose()
    if found is None:
        return proposals.promoted(last=True)
    number = len(records)
    records[number] = TrialRecord(number, "searched", "running", found.candidate)
    proposals.begun(number, found.candidate)
    return number


def _trained_on(
    proposals: Proposals, record: TrialRecord, curve_of: CurveOf, since: int
) -> tuple[TrialRecord, int]:
    """The record of a trial when its training next stops, and the epoch until which it came."""
    curve = sorted(curve_of(record.candidate).items())
    last, seed = curve[-1][0], proposals.study.seeds[0]
    for place, (epoch, score) in enumerate(curve):
        if epoch <= since or not proposals.scored(record.number, epoch, score) or epoch == last:
            continue
        if proposals.waits(record.number):
            return record.paused(epoch), epoch
        training = Training(seed, "pruned", score, curve=tuple(curve[: place + 1]))
        return replace(record, state="pruned", trainings=(training,)), epoch
    training = Training(seed, "finished", curve[-1][1], curve=tuple(curve))
    return replace(record, state="finished", trainings=(training,)), last
