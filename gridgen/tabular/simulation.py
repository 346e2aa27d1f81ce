"""Searches of a table in place of trainings: how soon a method finds what is good.

Each search is told the scores of one seed, as a study with one seed is; what it would name the best
is judged by the other seeds, which it does not see.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridgen.arguments import checked
from gridgen.errors import UsageError, unknown
from gridgen.progress import OnProgress, no_progress
from gridgen.space.choices import Params
from gridgen.study.methods import PRUNERS, SAMPLERS
from gridgen.study.proposals.sampler import FeasibleSampler
from gridgen.study.proposals.seen import SeenTrials
from gridgen.study.rungs import Rungs
from gridgen.study.trials import Candidate
from gridgen.tabular.encodings import ENCODINGS, Encoding
from gridgen.tabular.regret import Simulation, judged
from gridgen.tabular.table import SPEC, Scores, TopologyBenchmark
from gridgen.tabular.trainings import ScoredSplit
from gridgen.training.processes.devices import cores
from gridgen.training.processes.prefetch import METHOD, prefetch


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
    workers: int | None = None,
    on_progress: OnProgress = no_progress,
) -> Simulation:
    """Search a table many times with a sampler, and perhaps a pruner that pauses trainings.

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
    _require(benchmark, sampler, pruner, encoding, searches, trials)
    if workers is None:
        # At random they are quicker than processes could be told of them.
        workers = cores() if METHOD == "fork" and sampler != "random" else 0
    elif workers < 0:
        raise UsageError(f"workers is {workers}; give 0 at least")
    searching = _Searching(benchmark, sampler, pruner, encoding, trials, split, seed)
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
    sampler: str
    pruner: str
    encoding: str
    trials: int
    split: ScoredSplit
    seed: int

    @cached_property
    def _curves(self) -> Scores:
        return self.benchmark.array(self.split)

    @cached_property
    def _encoded(self) -> Encoding:
        return ENCODINGS[self.encoding](self.benchmark)

    def __call__(self, number: int) -> tuple[NDArray[np.intp], Scores, NDArray[np.intp]]:
        """What is tried, spent and named, of each of the trials."""
        random, epochs = Random(f"{self.seed} {number}"), self.benchmark.epochs
        seen = self._curves[:, number % self._curves.shape[1]]
        order = np.array([*_order(self.sampler, self._encoded, seen[:, -1], random, self.trials)])
        # All are validated at equal distances.
        rungs = PRUNERS[self.pruner].rungs(epochs[-1], epochs[0])
        if rungs is None:
            spent, best = np.arange(1.0, self.trials + 1), _best_so_far(seen[order, -1])
        else:
            spent, best = _halved(rungs, seen[order], epochs)
        return order, spent, order[best]


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
    if not 1 <= trials <= len(benchmark):
        raise UsageError(f"trials is {trials}; give 1 to {len(benchmark)}")
    if PRUNERS[pruner].halving is None and pruner != "none":
        raise UsageError(f"pruner {pruner} is not simulated; those that halve are")
    if pruner != "none" and sampler != "random":
        raise UsageError(f"pruner {pruner} is simulated with the sampler random; leave one out")
