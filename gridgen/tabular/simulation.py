"""Searches of a table in place of trainings: how soon a method finds what is good.

Each search is told the scores of one seed, as a study with one seed is; what it would name the best
is judged by the other seeds, which it does not see.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridgen.arguments import checked, checked_fields
from gridgen.errors import UsageError, unknown
from gridgen.space.choices import Params
from gridgen.study.methods import PRUNERS, SAMPLERS
from gridgen.study.proposals.sampler import FeasibleSampler
from gridgen.study.proposals.seen import SeenTrials
from gridgen.study.rungs import Rungs
from gridgen.study.trials import Candidate
from gridgen.tabular.encodings import ENCODINGS, Encoding
from gridgen.tabular.table import SPEC, ScoredSplit, Scores, TopologyBenchmark

TOP = 0.02
"""The share of the topologies that counts as the best."""


@checked_fields
@dataclass(frozen=True, eq=False)
class Simulation:
    """Simulated searches; rows are searches, columns the topologies that each began to train.

    `tried` holds numbers of the table, `spent` the trainings until then, in whole ones, `quality`
    the score, by the judge, of the topology that the search would name by then. For each search,
    `best` is the judge's highest score of all, `threshold` the least of its best 2 %.
    """

    tried: NDArray[np.intp]
    spent: Scores
    quality: Scores
    best: Scores
    threshold: Scores

    @property
    def regret(self) -> Scores:
        """How far what is named lies below the best of all."""
        return self.best[:, None] - self.quality

    @checked
    def regret_after(self, trainings: float) -> Scores:
        """The regret of each search after so many whole trainings, nan before the first."""
        return self._after(trainings, self.regret)

    @checked
    def in_the_top_after(self, trainings: float) -> Scores:
        """Whether each search names one of the best 2 % after so many trainings: 1 or 0."""
        there = self.quality >= self.threshold[:, None]
        return self._after(trainings, there.astype(np.float64))

    @property
    def trainings_to_the_top(self) -> Scores:
        """Trainings until each search first names one of the best 2 %, infinity where none does."""
        there = self.quality >= self.threshold[:, None]
        first = there.argmax(axis=1)
        spent = self.spent[np.arange(len(first)), first]
        return np.where(there.any(axis=1), spent, np.inf)

    def _after(self, trainings: float, values: Scores) -> Scores:
        begun = (self.spent <= trainings).sum(axis=1)
        last = values[np.arange(len(begun)), np.maximum(begun - 1, 0)]
        return np.where(begun > 0, last, np.nan)


@checked
def simulate_searches(
    benchmark: TopologyBenchmark,
    sampler: str = "random",
    *,
    pruner: str = "none",
    encoding: str = "number",
    searches: int = 1000,
    trials: int = 100,
    split: ScoredSplit = "val",
    judged_by: ScoredSplit | None = None,
    seed: int = 0,
) -> Simulation:
    """Search a table many times with a sampler, and perhaps a pruner that pauses trainings.

    Each search begins to train `trials` different topologies, one after the other. It searches by
    `split` and one of the seeds in turn, and is judged by `judged_by`, else the same, and the mean
    of the other seeds. `encoding`: a sampler sees the `number` of a topology in the table, as a
    study with `topology: every` has it, or its `connections`. Errors: `UsageError`.

    >>> from gridgen import topology_benchmark
    >>> found = simulate_searches(topology_benchmark(), searches=20, trials=4)
    >>> found.tried.shape
    (20, 4)
    """
    _require(benchmark, sampler, pruner, encoding, searches, trials)
    curves, judge = benchmark.array(split), benchmark.array(judged_by or split)[:, :, -1]
    encoded, runs = ENCODINGS[encoding](benchmark), []
    last = int(np.ceil(TOP * len(benchmark))) - 1
    for number in range(searches):
        random, mine = Random(f"{seed} {number}"), number % curves.shape[1]
        seen, quality = curves[:, mine], np.delete(judge, mine, axis=1).mean(axis=1)
        order = [*_order(sampler, encoded, seen[:, -1], random, trials)]
        # All are validated at equal distances.
        rungs = PRUNERS[pruner].rungs(benchmark.epochs[-1], benchmark.epochs[0])
        if rungs is None:
            spent, named = np.arange(1.0, trials + 1), _best_so_far(seen[order, -1])
        else:
            spent, named = _halved(rungs, seen[order], benchmark.epochs)
        ranked = np.sort(quality)[::-1]
        runs.append((order, spent, quality[np.array(order)[named]], ranked[0], ranked[last]))
    return Simulation(*(np.array(each) for each in zip(*runs, strict=True)))


def _order(
    sampler: str, encoding: Encoding, scores: Scores, random: Random, trials: int
) -> Iterator[int]:
    """The topologies that a search trains, one after the other, told the score of each.

    By the sampler of a study: what was tried before, or is no network, is drawn at random instead.
    """
    left = dict.fromkeys(range(len(scores)))
    if sampler == "random":
        yield from random.sample([*left], trials)
        return
    points = [*map(encoding.point, left)]

    def choose(point: Params | None) -> Candidate:
        # Without a sampler, the next one in order.
        number = next(iter(left)) if point is None else encoding.number(point)
        return _candidate(points[number if number in left else random.choice([*left])])

    make = SAMPLERS[sampler].make
    base = None if make is None else make(random.randrange(2**31))
    proposing = FeasibleSampler(base, encoding.space, choose)
    known = SeenTrials(encoding.space, PRUNERS["none"], epochs=1)
    for place in range(trials):
        known.ask(proposing)
        assert proposing.chosen is not None
        number = encoding.number(proposing.chosen.params)
        assert number is not None
        known.show(place, (), "finished", [float(scores[number])])
        del left[number]
        yield number


def _candidate(point: Params) -> Candidate:
    """A point as samplers of studies take it; the rest of a candidate is of no use to them."""
    return Candidate("", point, SPEC, {}, {}, "")


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
            # At the end one of each rung goes on, however few there are.
            waiting = rungs.promotable(int(number == len(seen) - 1))
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
    if len(benchmark.seeds) < 2:
        raise UsageError("a search is judged by other seeds than its own, but there is one seed")
    if not 1 <= trials <= len(benchmark):
        raise UsageError(f"trials is {trials}; give 1 to {len(benchmark)}")
    if PRUNERS[pruner].halving is None and pruner != "none":
        raise UsageError(f"pruner {pruner} is not simulated; those that halve are")
    if pruner != "none" and sampler != "random":
        raise UsageError(f"pruner {pruner} is simulated with the sampler random; leave one out")
