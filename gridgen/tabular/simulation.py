"""Searches of a table in place of trainings: how soon a method finds what is good.

Each search is told the scores of one seed, as a study with one seed is, on the split it searches
by; what it would name the best is judged by the mean of all seeds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import TrialState, create_trial

from gridgen.arguments import checked, checked_fields
from gridgen.errors import UsageError, unknown
from gridgen.study.methods import PRUNERS, SAMPLERS
from gridgen.study.rungs import Rungs
from gridgen.tabular.encodings import ENCODINGS, Encoding
from gridgen.tabular.table import ScoredSplit, Scores, TopologyBenchmark

TOP = 0.02
"""The share of the topologies that counts as the best."""


@checked_fields
@dataclass(frozen=True)
class Simulation:
    """Simulated searches; rows are searches, columns the topologies that each began to train.

    `tried` holds places in the table, `spent` the trainings until then, in whole ones, `quality`
    the mean score of the topology that the search would name by then, on the split that judges.
    `best` is the highest mean of all, `threshold` the least of the best 2 %.
    """

    tried: NDArray[np.intp]
    spent: Scores
    quality: Scores
    best: float
    threshold: float

    @property
    def regret(self) -> Scores:
        """How far what is named lies below the best of all."""
        return self.best - self.quality

    @checked
    def regret_after(self, trainings: float) -> Scores:
        """The regret of each search after so many whole trainings, nan before the first."""
        begun = (self.spent <= trainings).sum(axis=1)
        last = self.regret[np.arange(len(begun)), np.maximum(begun - 1, 0)]
        return np.where(begun > 0, last, np.nan)

    @property
    def trainings_to_the_top(self) -> Scores:
        """Whole trainings until each search names one of the best 2 %; infinity where none does."""
        there = self.quality >= self.threshold
        first = there.argmax(axis=1)
        spent = self.spent[np.arange(len(first)), first]
        return np.where(there.any(axis=1), spent, np.inf)


@checked
def simulate_searches(
    benchmark: TopologyBenchmark,
    sampler: str = "random",
    *,
    pruner: str = "none",
    encoding: str = "place",
    searches: int = 1000,
    trials: int = 100,
    split: ScoredSplit = "val",
    judged_by: ScoredSplit | None = None,
    seed: int = 0,
) -> Simulation:
    """Search a table many times with a sampler, and perhaps a pruner that pauses trainings.

    Each search begins to train `trials` different topologies, one after the other. It searches by
    `split`, and is judged by `judged_by`, else by the same. Errors: `UsageError`.

    >>> from gridgen import topology_benchmark
    >>> found = simulate_searches(topology_benchmark(), searches=20, trials=4)
    >>> found.tried.shape, bool(found.regret[:, -1].mean() < found.regret[:, 0].mean())
    ((20, 4), True)
    """
    _require(benchmark, sampler, pruner, encoding, searches, trials)
    curves, quality = benchmark.array(split), benchmark.means(judged_by or split)
    encoded, runs = ENCODINGS[encoding](benchmark), []
    for number in range(searches):
        random = Random(f"{seed} {number}")
        seen = curves[:, number % curves.shape[1]]
        order = [*_order(sampler, encoded, seen[:, -1], random, trials)]
        rungs = PRUNERS[pruner].rungs(max(benchmark.epochs), min(benchmark.epochs))
        if rungs is None:
            spent = np.arange(1.0, trials + 1)
            named = _best_so_far(seen[order, -1])
        else:
            spent, named = _halved(rungs, seen[order], benchmark.epochs)
        runs.append((order, spent, quality[np.array(order)[named]]))
    tried, spent, reached = (np.array(each) for each in zip(*runs, strict=True))
    ranked = np.sort(quality)[::-1]
    last = int(np.ceil(TOP * len(benchmark))) - 1
    return Simulation(tried, spent, reached, float(ranked[0]), float(ranked[last]))


def _order(
    sampler: str, encoding: Encoding, scores: Scores, random: Random, trials: int
) -> Iterator[int]:
    """The topologies that a search trains, one after the other, told the score of each."""
    if sampler == "random":
        yield from random.sample(range(len(scores)), trials)
        return
    make = SAMPLERS[sampler].make
    if make is None:  # all, in their order
        yield from range(trials)
        return
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=make(random.randrange(2**31)), direction="maximize")
    left = dict.fromkeys(range(len(scores)))
    for _ in range(trials):
        trial = study.ask(dict(encoding.space))
        place = encoding.place(trial.params)
        if place in left:
            study.tell(trial, scores[place])
        else:  # known already, or no network: a search draws at random then
            study.tell(trial, state=TrialState.FAIL)
            place = random.choice([*left])
            params, space = encoding.point(place), dict(encoding.space)
            study.add_trial(create_trial(value=scores[place], params=params, distributions=space))
        del left[place]
        yield place


def _best_so_far(seen: Scores) -> NDArray[np.intp]:
    """The number of the highest score up to each; of equal ones the first."""
    best = np.maximum.accumulate(seen)
    fresh = np.concatenate([[True], best[1:] > best[:-1]])
    return np.maximum.accumulate(np.where(fresh, np.arange(len(seen)), 0))


def _halved(rungs: Rungs, seen: Scores, epochs: Sequence[int]) -> tuple[Scores, NDArray[np.intp]]:
    """What is spent, and the number of what is named, once each training was begun and all that
    then go on past a rung have gone on.

    What is named is the best of those that came farthest.
    """
    reached = [0] * len(seen)
    """How many of the epochs each training has behind it."""
    done, spent, named = 0.0, [], []
    for number in range(len(seen)):
        waiting = [number]
        while waiting:
            one = waiting[0]
            if rungs.paused(one):
                rungs.promote(one)
            done += _go_on(rungs, one, seen[one], epochs, reached)
            waiting = rungs.promotable()
        spent.append(done / epochs[-1])
        named.append(max(range(number + 1), key=lambda n: (reached[n], seen[n, reached[n] - 1])))
    return np.array(spent), np.array(named)


def _go_on(
    rungs: Rungs, number: int, curve: Scores, epochs: Sequence[int], reached: list[int]
) -> float:
    """Train on to the next rung, or to the end; the epochs that this takes."""
    begun = epochs[reached[number] - 1] if reached[number] else 0
    while reached[number] < len(epochs):
        epoch, score = epochs[reached[number]], float(curve[reached[number]])
        reached[number] += 1
        if rungs.reached(number, epoch, score):
            break
    return epochs[reached[number] - 1] - begun


def _require(
    benchmark: TopologyBenchmark,
    sampler: str,
    pruner: str,
    encoding: str,
    searches: int,
    trials: int,
) -> None:
    """Refuse what cannot be simulated: `UsageError`."""
    asked: list[tuple[str, str, Mapping[str, Any]]] = [
        ("sampler", sampler, SAMPLERS),
        ("pruner", pruner, PRUNERS),
        ("encoding", encoding, ENCODINGS),
    ]
    for what, name, known in asked:
        if name not in known:
            raise UsageError(unknown(what, name, known))
    if SAMPLERS[sampler].missing:
        raise UsageError(f"sampler {sampler} needs {SAMPLERS[sampler].needs}; install it")
    if searches < 1:
        raise UsageError(f"searches is {searches}; give 1 at least")
    if not 1 <= trials <= len(benchmark):
        raise UsageError(f"trials is {trials}; give 1 to {len(benchmark)}")
    if PRUNERS[pruner].halving is None and pruner != "none":
        raise UsageError(f"pruner {pruner} is not simulated; those that halve are")
    if pruner != "none" and sampler != "random":
        raise UsageError(f"pruner {pruner} is simulated with the sampler random; leave one out")
