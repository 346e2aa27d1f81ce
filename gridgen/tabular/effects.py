"""What is lost with each connection of the grid, over all networks that are left without it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

import numpy as np

from gridgen.grid import build_grid
from gridgen.study.report.statistics import Estimate, mean_interval
from gridgen.tabular.encodings import without_dead_ends
from gridgen.tabular.ranking import residual_variance
from gridgen.tabular.table import Scores, TopologyBenchmark
from gridgen.tabular.trainings import ScoredSplit

Kept = frozenset[str]
"""The connections of a network, by name."""


@dataclass(frozen=True)
class Effect:
    """What is lost where a connection is cut.

    Cutting it makes dead ends, which are dropped too; networks that fall apart without it do not
    count. Those of which the same is left are one group, `groups` in all. `cut`: the mean score of
    a group less that of what is left of it, and the mean of that over groups; `dropped` connections
    on average. `alone`: the mean over the `pairs` of networks that differ in this connection only;
    None for fewer than two. The intervals are Student's, over groups or pairs, widened by what
    another seed would make of a connection.
    """

    connection: str
    cut: Estimate
    dropped: float
    groups: int
    alone: Estimate | None
    pairs: int


@dataclass(frozen=True)
class _Gains:
    """Of a connection: by how much networks score more with it, (groups, seeds) and (pairs, seeds);
    and how many connections each group loses with it.
    """

    connection: str
    cut: Scores
    alone: Scores
    dropped: Sequence[float]


def effects(benchmark: TopologyBenchmark, split: ScoredSplit = "val") -> list[Effect]:
    """The effect of each connection of the full grid, of those where it can be told."""
    found = _of_connections(benchmark, split)
    cut = between_seeds(each.cut for each in found)
    alone = between_seeds(each.alone for each in found if len(each.alone) > 1)
    return [
        Effect(
            each.connection,
            _mean(each.cut, cut),
            fmean(each.dropped),
            len(each.cut),
            _mean(each.alone, alone) if len(each.alone) > 1 else None,
            len(each.alone),
        )
        for each in found
    ]


def seed_deviation(benchmark: TopologyBenchmark, split: ScoredSplit = "val") -> float:
    """The standard deviation between seeds of what is lost where a connection is cut."""
    return sqrt(between_seeds(each.cut for each in _of_connections(benchmark, split)))


def _of_connections(benchmark: TopologyBenchmark, split: ScoredSplit) -> list[_Gains]:
    of_seeds = benchmark.array(split)[:, :, -1]
    kept = (frozenset(each.connections) for each in benchmark.values())
    scores = dict(zip(kept, of_seeds, strict=True))
    names = [each.name for each in build_grid(benchmark.spec).connections]
    return [gains for gains in (_gains(name, scores) for name in names) if len(gains.cut) > 1]


def _gains(name: str, scores: Mapping[Kept, Scores]) -> _Gains:
    groups: dict[Kept, list[Kept]] = {}
    for kept in scores:
        if name in kept:
            groups.setdefault(without_dead_ends(kept - {name}), []).append(kept)
    groups = {left: kept for left, kept in groups.items() if left in scores}
    # No network is in two groups, so that the luck of one training is in one gain alone.
    cut = [
        np.mean([scores[k] for k in kept], axis=0) - scores[left] for left, kept in groups.items()
    ]
    dropped = [fmean(len(k) for k in kept) - len(left) for left, kept in groups.items()]
    alone = [
        scores[kept] - scores[left]
        for left, each in groups.items()
        for kept in each
        if len(kept) == len(left) + 1
    ]
    return _Gains(name, np.array(cut), np.array(alone), dropped)


def between_seeds(gains: Iterable[Scores]) -> float:
    """The variance, between seeds, of what a connection gains, beyond the luck of single trainings;
    one value for all connections, as two seeds tell little of one alone.

    A seed that starts one connection luckily does so in all networks that have it.
    """
    found = [each.mean(axis=0).var(ddof=1) - residual_variance(each) / len(each) for each in gains]
    return max(0.0, float(np.mean(found))) if found else 0.0


def _mean(gains: Scores, between: float) -> Estimate:
    """The mean of gains by (group, seed), and where it may lie with other groups and seeds."""
    return mean_interval(gains.mean(axis=1).tolist(), between / gains.shape[1])
