"""How far two orders agree, and how far scores lie apart."""

from dataclasses import dataclass
from math import sqrt
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from gridgen.study.report.statistics import LEVEL, Estimate
from gridgen.study.report.student import critical
from gridgen.tabular.table import Scores

Pairs = NDArray[np.bool_]
"""A symmetric matrix over topologies."""
RESAMPLES = 1000


def kendall(one: Scores, other: Scores, pairs: Pairs | None = None) -> float:
    """Kendall's tau-b of two lists of numbers: 1 for the same order, -1 for the opposite one.

    Pairs that are equal in a list tell nothing of it (Kendall, Biometrika 1945). Where a matrix of
    `pairs` is given, these alone count. 0 where no pair is left.

    >>> round(kendall(np.array([1, 2, 3, 4]), np.array([1, 3, 2, 4])), 2)
    0.67
    """
    return float(_kendall(one, other, pairs, np.ones((1, len(one))))[0])


def agreement(one: Scores, other: Scores, pairs: Pairs | None = None) -> Estimate:
    """Kendall's tau with a bootstrap interval: as if other topologies had been drawn."""
    return estimated(kendall(one, other, pairs), taus(one, other, pairs))


def taus(one: Scores, other: Scores, pairs: Pairs | None = None) -> Scores:
    """Kendall's tau of topologies that are drawn from these, again and again.

    Of as many topologies the draws are the same, so that several can be compared draw by draw. One
    that is drawn twice is equal to itself, and such a pair tells nothing.
    """
    many = len(one)
    drawn = np.random.default_rng(0).multinomial(many, np.full(many, 1 / many), RESAMPLES)
    return _kendall(one, other, pairs, drawn.astype(float))


def mean_agreement(
    ones: Scores, others: Scores, pairs: Pairs | None = None
) -> tuple[float, Scores]:
    """The mean of Kendall's tau of equal columns, such as those of seeds, and of `taus` of them."""
    both = [*zip(ones.T, others.T, strict=True)]
    value = fmean(kendall(*each, pairs) for each in both)
    return value, np.mean([taus(*each, pairs) for each in both], axis=0)


def estimated(value: float, drawn: Scores) -> Estimate:
    """A value with the interval that the values of a bootstrap give."""
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))


def _kendall(one: Scores, other: Scores, pairs: Pairs | None, times: Scores) -> Scores:
    """Tau-b for each row of `times`, which says how many times each topology counts."""
    # For each pair, which is the higher one in each list; 0 of those that are left out.
    counted = 1.0 if pairs is None else pairs
    first, second = (np.sign(np.subtract.outer(each, each)) * counted for each in (one, other))
    same, in_first, in_second = (
        ((times @ matrix) * times).sum(axis=1)
        for matrix in (first * second, abs(first), abs(second))
    )
    different = np.sqrt(in_first * in_second)
    found: Scores = np.divide(same, different, out=np.zeros_like(same), where=different > 0)
    return found


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
    """How far scores lie apart.

    `best` and `worst` mean of a topology, and the standard deviation of the means of `topologies`.
    `shift` is the difference that the seed makes to the mean of all topologies, from the worst seed
    to the best; `seeds` the standard deviation between the seeds of one topology without that.
    """

    best: float
    worst: float
    topologies: float
    shift: float
    seeds: float
    shape: tuple[int, int]
    """Topologies and seeds."""

    @property
    def true_variance(self) -> float:
        """That of what topologies are worth, as means lie farther apart than what they are the
        means of; 0 where they vary no more than seeds do.
        """
        return max(0.0, self.topologies**2 - self.seeds**2 / self.shape[1])

    @property
    def told_apart(self) -> float:
        """Difference from which on the means of two topologies, chosen before they were trained,
        are different at 95 %.
        """
        return self._difference(1 - LEVEL)

    @property
    def best_at_least(self) -> float:
        """What the mean of the topology that is the best of all, whichever it is, exceeds at 95 %.

        One-sided, by Bonferroni's correction over all others, as in comparisons with the best (Hsu,
        Annals of Statistics 1984). That each topology below is worse than the one that happened to
        score highest is not said.
        """
        return self.best - self._difference(2 * (1 - LEVEL) / (self.shape[0] - 1))

    def _difference(self, error: float) -> float:
        topologies, seeds = self.shape
        freedom = (topologies - 1) * (seeds - 1)
        return critical(1 - error, freedom) * self.seeds * sqrt(2 / seeds)


def spread(scores: Scores) -> Spread:
    """The spread of scores by (topology, seed), of two or more each."""
    means, of_seeds = scores.mean(axis=1), scores.mean(axis=0)
    # A seed gives all topologies the same stem, order and crops, which are lucky or not for all of
    # them. Whoever compares topologies with equal seeds is not misled by that.
    return Spread(
        best=float(means.max()),
        worst=float(means.min()),
        topologies=float(means.std(ddof=1)),
        shift=float(of_seeds.max() - of_seeds.min()),
        seeds=sqrt(residual_variance(scores)),
        shape=(scores.shape[0], scores.shape[1]),
    )


def residual_variance(values: Scores) -> float:
    """What varies beyond the means of rows and of columns, two or more each."""
    rest = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()
    freedom: int = (values.shape[0] - 1) * (values.shape[1] - 1)
    return float((rest**2).sum()) / freedom


def perfect_regret(scores: Scores, top: int = 1, seeds: int | None = None) -> float:
    """The mean regret of whoever knows the `top` best topologies, by scores (topologies, seeds).

    The highest of all means of `seeds` trainings, else of as many as are given, is also the
    luckiest, so that the truly best lies below it too. Told by tables that are drawn again with the
    spread of topologies and of seeds that this one has.
    """
    found, means = spread(scores), scores.mean(axis=1)
    luck = found.seeds / sqrt(seeds or scores.shape[1])
    true = found.true_variance
    shrunk = sqrt(true) / found.topologies if true else 0.0
    quality = (means - means.mean()) * shrunk
    best = np.argsort(-quality, kind="stable")[:top]
    drawn = np.random.default_rng(0).normal(quality, luck, (RESAMPLES, len(quality)))
    return float(np.mean(drawn.max(axis=1) - drawn[:, best].mean(axis=1)))
