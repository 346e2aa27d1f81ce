"""How far two orders agree, and what a connection is worth, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from gridgen.grid import build_grid
from gridgen.study.report.student import critical
from gridgen.tabular.encodings import without_dead_ends
from gridgen.tabular.table import SPEC, ScoredSplit, Scores, TopologyBenchmark

Pairs = NDArray[np.bool_]
"""A symmetric matrix over topologies."""
RESAMPLES = 1000
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A value, and the interval in which it lies with a chance of 95 %."""

    value: float
    low: float
    high: float


def kendall(one: Scores, other: Scores, pairs: Pairs | None = None) -> float:
    """Kendall's tau-b of two lists of numbers: 1 for the same order, -1 for the opposite one.

    Pairs that are equal in a list tell nothing of it (Kendall, Biometrika 1945). Where a matrix of
    `pairs` is given, these alone count. 0 where no pair is left.

    >>> round(kendall(np.array([1, 2, 3, 4]), np.array([1, 3, 2, 4])), 2)
    0.67
    """
    counted = np.triu(np.ones((len(one), len(one)), bool) if pairs is None else pairs, 1)
    first, second = (np.sign(v[:, None] - v[None, :])[counted] for v in (one, other))
    different = sqrt(np.count_nonzero(first) * np.count_nonzero(second))
    return float((first * second).sum() / different) if different else 0.0


def agreement(one: Scores, other: Scores, pairs: Pairs | None = None) -> Estimate:
    """Kendall's tau, with the interval that other topologies in place of these might give.

    A bootstrap of topologies; one that is drawn twice is equal to itself, and tells nothing.
    """
    random, found = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        drawn = random.integers(0, len(one), len(one))
        mine = None if pairs is None else pairs[np.ix_(drawn, drawn)]
        found.append(kendall(one[drawn], other[drawn], mine))
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(kendall(one, other, pairs), float(low), float(high))


def near(values: Scores, share: float = 0.1) -> Pairs:
    """Which pairs of positive numbers differ by at most a share.

    >>> near(np.array([100.0, 109.0, 130.0]))[0].tolist()
    [True, True, False]
    """
    logarithms = np.log(values)
    found: Pairs = np.abs(logarithms[:, None] - logarithms[None, :]) <= np.log1p(share)
    return found


@dataclass(frozen=True)
class Spread:
    """How far scores lie apart: `best` and `worst` mean of a topology, the standard deviation of
    the means over `topologies`; the `shift` from the worst seed to the best of the mean of all
    topologies, and the standard deviation of the `seeds` of one topology beside that shift. Means
    that differ by `told_apart` are different at 95 %, each pair taken alone.
    """

    best: float
    worst: float
    topologies: float
    shift: float
    seeds: float
    told_apart: float


def spread(scores: Scores) -> Spread:
    """The spread of scores by (topology, seed)."""
    means, of_seeds = scores.mean(axis=1), scores.mean(axis=0)
    # A seed gives all topologies the same stem, order and crops, which are lucky or not for all of
    # them. Whoever compares topologies with equal seeds is not misled by that.
    within = sqrt(float((scores - of_seeds).var(axis=1, ddof=1).mean()))
    topologies, seeds = scores.shape
    sure = critical(LEVEL, (topologies - 1) * (seeds - 1))
    return Spread(
        best=float(means.max()),
        worst=float(means.min()),
        topologies=float(means.std(ddof=1)),
        shift=float(of_seeds.max() - of_seeds.min()),
        seeds=within,
        told_apart=sure * within * sqrt(2 / seeds),
    )


@dataclass(frozen=True)
class Effect:
    """What a connection is worth: the score with it less the score without.

    `cut`: of each network that has it, less that of the same without it and the dead ends that its
    loss leaves, on average `dropped` connections in all; by `networks` that are left. `alone`: over
    the `pairs` that differ in this connection only; None where there are no two such pairs.
    """

    connection: str
    cut: Estimate
    networks: int
    dropped: float
    alone: Estimate | None
    pairs: int


def effects(benchmark: TopologyBenchmark, split: ScoredSplit = "val") -> list[Effect]:
    """The effect of each connection of the full grid, of those where it can be told."""
    scores = {frozenset(each.connections): each.mean(split) for each in benchmark.values()}
    found = (_effect(each.name, scores) for each in build_grid(SPEC).connections)
    return [effect for effect in found if effect is not None]


Kept = frozenset[str]


def _effect(name: str, scores: Mapping[Kept, float]) -> Effect | None:
    """The effect of a connection; None for fewer than two networks that are left without it."""
    grid = build_grid(SPEC)
    # The networks that have it, by what is left of them without it.
    groups: dict[Kept, list[Kept]] = {}
    for kept in scores:
        left = without_dead_ends(grid, kept - {name})
        if name in kept and left in scores:
            groups.setdefault(left, []).append(kept)
    if len(groups) < 2:
        return None
    # No network is in two groups, so that the gains of groups are independent of each other.
    gains = [fmean(scores[k] for k in kept) - scores[left] for left, kept in groups.items()]
    dropped = [len(kept) - len(left) for left, each in groups.items() for kept in each]
    pairs = [
        scores[kept] - scores[left]
        for left, each in groups.items()
        for kept in each
        if len(kept) == len(left) + 1
    ]
    alone = mean_interval(pairs) if len(pairs) > 1 else None
    return Effect(name, mean_interval(gains), len(groups), fmean(dropped), alone, len(pairs))


def mean_interval(values: Sequence[float]) -> Estimate:
    """The mean with Student's interval.

    >>> mean_interval([1.0, 2.0, 3.0]).value
    2.0
    """
    mean = fmean(values)
    half = critical(LEVEL, len(values) - 1) * stdev(values) / sqrt(len(values))
    return Estimate(mean, mean - half, mean + half)
