"""Searches of a table in place of trainings: how soon a method finds what is good.

Each search is told the scores of one seed, as a study with one seed is; what it would name the best
is judged by the other seeds, which it does not see.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from gridgen.arguments import checked
from gridgen.errors import UsageError, unknown
from gridgen.progress import OnProgress, no_progress
from gridgen.space.choices import Params
from gridgen.study.language.sections import Prefilter
from gridgen.study.methods import PRUNERS, SAMPLERS
from gridgen.study.proposals.forecast import Forecast
from gridgen.study.proposals.sampler import FeasibleSampler
from gridgen.study.proposals.seen import SeenTrials
from gridgen.study.rungs import Rungs
from gridgen.study.trials import Candidate
from gridgen.tabular.encodings import ENCODINGS, Encoding
from gridgen.tabular.regret import SearchMethod, Simulation, judged
from gridgen.tabular.table import SPEC, Scores, TopologyBenchmark
from gridgen.tabular.trainings import ScoredSplit
from gridgen.training.processes.devices import cores
from gridgen.training.processes.prefetch import METHOD, prefetch

PREFILTERS = ("none", *get_args(Prefilter))


@checked
def simulate_searches(
    benchmark: TopologyBenchmark,
    sampler: str = "random",
    *,
    pruner: str = "none",
    prefilter: str = "none",
    encoding: str = "number",
    searches: int = 1000,
    trials: int = 100,
    split: ScoredSplit = "val",
    judged_by: ScoredSplit | None = None,
    seed: int = 0,
    workers: int | None = None,
    on_progress: OnProgress = no_progress,
) -> Simulation:
    """Search a table many times with a sampler, and perhaps a pruner that pauses trainings, or a
    prefilter that chooses by exact costs what is trained.

    Each search begins to train `trials` different topologies, one after the other. It searches by
    `split` and one of the seeds in turn, and is judged by `judged_by`, else the same, and the mean
    of the other seeds. `encoding`: a sampler sees the `number` of a topology in the table, as a
    study with `topology: every` has it, or its `connections`. `workers` is the number of processes
    that search at once, 0 for this one alone; None chooses. Errors: `UsageError`.

    >>> from gridgen import topology_benchmark
    >>> found = simulate_searches(topology_benchmark(), searches=20, trials=4)
    >>> found.tried.shape
    (20, 4)
    """
    method = SearchMethod(sampler, pruner, prefilter, encoding)
    _require(method, searches, trials, len(benchmark))
    if workers is None:
        # At random they are quicker than processes could be told of them.
        workers = cores() if METHOD == "fork" and not method.at_random else 0
    elif workers < 0:
        raise UsageError(f"workers is {workers}; give 0 at least")
    searching = _Searching(benchmark, method, trials, split, seed)
    runs = []
    for found in prefetch(searching, range(searches), workers):
        runs.append(found)
        on_progress(len(runs), searches)
    tried, spent, named = (np.array(each) for each in zip(*runs, strict=True))
    return Simulation(tried, spent, named, *judged(benchmark, judged_by or split, named))


@dataclass(frozen=True)
class _Searching:
    """Simulates a search when it is called with its number."""

    benchmark: TopologyBenchmark
    method: SearchMethod
    trials: int
    split: ScoredSplit
    seed: int

    @cached_property
    def _curves(self) -> Scores:
        return self.benchmark.array(self.split)

    @cached_property
    def _encoded(self) -> Encoding:
        return ENCODINGS[self.method.encoding](self.benchmark)

    @cached_property
    def _candidates(self) -> list[Candidate]:
        return [
            # The sampler of a study looks at no network.
            Candidate(each.name, self._encoded.point(number), SPEC, {}, each.costs, each.name)
            for number, each in enumerate(self.benchmark.values())
        ]

    def __call__(self, number: int) -> tuple[NDArray[np.intp], Scores, NDArray[np.intp]]:
        """What is tried, spent and named, of each of the trials."""
        random, epochs = Random(f"{self.seed} {number}"), self.benchmark.epochs
        seen = self._curves[:, number % self._curves.shape[1]]
        order = np.array([*self._order(seen[:, -1], random)])
        # All are validated at equal distances.
        rungs = PRUNERS[self.method.pruner].rungs(epochs[-1], epochs[0])
        if rungs is None:
            spent, best = np.arange(1.0, self.trials + 1), _best_so_far(seen[order, -1])
        else:
            spent, best = _halved(rungs, seen[order], epochs)
        return order, spent, order[best]

    def _order(self, scores: Scores, random: Random) -> Iterator[int]:
        """The topologies that a search trains, one after the other, told the score of each.

        By sampler and prefilter of a study: what was tried before, or is no network, is drawn at
        random instead.
        """
        left = dict.fromkeys(range(len(scores)))
        if self.method.at_random:
            yield from random.sample([*left], self.trials)
            return
        encoding, forecast = self._encoded, Forecast({})

        def draw() -> Candidate:
            return self._candidates[random.choice([*left])]

        def choose(point: Params | None) -> Candidate:
            # Without a sampler, the next one in order.
            number = next(iter(left)) if point is None else encoding.number(point)
            first = self._candidates[number] if number in left else draw()
            return first if self.method.prefilter == "none" else forecast.choose(first, draw)

        make = SAMPLERS[self.method.sampler].make
        base = None if make is None else make(random.randrange(2**31))
        proposing = FeasibleSampler(base, encoding.space, choose)
        known = SeenTrials(encoding.space, PRUNERS["none"], epochs=1)
        for place in range(self.trials):
            known.ask(proposing)
            assert proposing.chosen is not None
            number = encoding.number(proposing.chosen.params)
            assert number is not None
            score = float(scores[number])
            known.show(place, (), "finished", [score])
            forecast.learn(proposing.chosen, score)
            del left[number]
            yield number


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


def _require(method: SearchMethod, searches: int, trials: int, topologies: int) -> None:
    """Refuse what cannot be simulated: `UsageError`."""
    sampler, pruner = method.sampler, method.pruner
    known: tuple[Iterable[str], ...] = (SAMPLERS, PRUNERS, PREFILTERS, ENCODINGS)
    for what, name, names in zip(method._fields, method, known, strict=True):
        if name not in names:
            raise UsageError(unknown(what, name, names))
    if SAMPLERS[sampler].missing:
        raise UsageError(f"sampler {sampler} needs {SAMPLERS[sampler].needs}; install it")
    if searches < 1:
        raise UsageError(f"searches is {searches}; give 1 at least")
    if not 1 <= trials <= topologies:
        raise UsageError(f"trials is {trials}; give 1 to {topologies}")
    if PRUNERS[pruner].halving is None and pruner != "none":
        raise UsageError(f"pruner {pruner} is not simulated; those that halve are")
    if pruner != "none" and not method.at_random:
        fact = f"pruner {pruner} is simulated with the sampler random, which sees the number,"
        raise UsageError(f"{fact} and no prefilter; leave the pruner out, or the others")
    if SAMPLERS[sampler].make is None and method != SearchMethod(sampler):
        fact = f"sampler {sampler} trains all in their order"
        raise UsageError(f"{fact}; leave prefilter and encoding out")
