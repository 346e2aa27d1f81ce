"""How far the scores that a supernet gives agree with those of networks trained alone.

Kendall's tau beside that of two seeds of the networks trained alone, and how much is lost where the
best by the supernet are taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from gridgen.shown import ShownRows
from gridgen.study.report.statistics import Estimate, signed
from gridgen.tabular.ranking import (
    agreement,
    estimated,
    mean_agreement,
    near,
    perfect_regret,
    spread,
    taus,
)
from gridgen.tabular.standings import ALIKE
from gridgen.tabular.table import Scores

TOP = 5
"""Networks that the supernet ranks highest, of which the regret is told."""


@dataclass(frozen=True)
class SeedAgreement:
    """How far two single trainings of the same networks agree: the most that can be expected of the
    scores of a supernet.

    `tau` of the orders of two seeds, and `given`, the mean of those of the supernet with one seed,
    which is as noisy; `share` is the second over the first, None where two seeds do not agree in
    every draw of the bootstrap. `regret` and `given_regret` likewise, of networks that one seed or
    the supernet ranks highest, judged by a single seed. `deviation` is the standard deviation
    between the seeds of one network.
    """

    tau: Estimate
    given: Estimate
    share: Estimate | None
    regret: float
    given_regret: float
    deviation: float

    @classmethod
    def of(cls, given: Scores, two: Scores) -> "SeedAgreement":
        """Of scores by the supernet and by (network, seed)."""
        one, other = two[:, 0], two[:, 1]
        tau = agreement(one, other)
        value, drawn = mean_agreement(np.stack([given, given], axis=1), two)
        of_seeds, share = taus(one, other), None
        if (of_seeds > 0).all():
            share = estimated(value / tau.value, drawn / of_seeds)
        return cls(
            tau=tau,
            given=estimated(value, drawn),
            share=share,
            regret=(_regret(one, other) + _regret(other, one)) / 2,
            given_regret=fmean(_regret(given, each) for each in (one, other)),
            deviation=spread(two).seeds,
        )


@dataclass(frozen=True)
class ScoreAgreement:
    """How far scores without training agree with those of networks trained alone.

    `tau` is that with the means of all seeds, with the interval of a bootstrap over networks;
    `alike` counts pairs of about equal parameters alone, None without such. `regret` is the mean
    distance from the best of those networks that the supernet ranks highest by the same score, and
    `chosen_regret` of those that it ranks highest on val, None where that is the same, and
    `perfect_regret` what a perfect order would have, as the best of noisy scores is the luckiest
    too, None where there is one seed. `difference` is how much higher the scores are without
    training than alone, on average. `by_parameters` and `largest_regret` tell what the number of
    parameters alone would have told, `over_parameters` by how much its tau is passed. `seeds`
    compares with single seeds, None where there is one seed.
    """

    tau: Estimate
    alike: Estimate | None
    regret: float
    chosen_regret: float | None
    perfect_regret: float | None
    difference: float
    by_parameters: Estimate
    over_parameters: Estimate
    largest_regret: float
    seeds: SeedAgreement | None = None

    @classmethod
    def of(
        cls,
        given: Sequence[float],
        alone: Sequence[Sequence[float]],
        parameters: Sequence[int],
        chosen: Sequence[float] | None = None,
    ) -> "ScoreAgreement":
        """Of networks, each with its score by the supernet and those of the same seeds alone.

        `chosen` are the scores by the supernet on val, where those that are given are of another
        split.
        """
        scores, of_seeds = np.array(given), np.array(alone)
        means, several = of_seeds.mean(axis=1), of_seeds.shape[1] > 1
        sizes = np.array(parameters, dtype=float)
        pairs = near(sizes, ALIKE)
        tau, by_parameters = agreement(scores, means), agreement(sizes, means)
        # On equal draws of networks, so that what both share does not count.
        ahead = taus(scores, means) - taus(sizes, means)
        return cls(
            tau=tau,
            alike=agreement(scores, means, pairs) if pairs.sum() > len(scores) else None,
            regret=_regret(scores, means),
            chosen_regret=None if chosen is None else _regret(np.array(chosen), means),
            perfect_regret=perfect_regret(of_seeds, TOP) if several else None,
            difference=float((scores - means).mean()),
            by_parameters=by_parameters,
            over_parameters=estimated(tau.value - by_parameters.value, ahead),
            largest_regret=_regret(sizes, means),
            seeds=SeedAgreement.of(scores, of_seeds[:, :2]) if several else None,
        )

    def rows(self) -> ShownRows:
        """A label and a value for each number."""
        alike = "no such pairs" if self.alike is None else self.alike.told(2)
        rows = [
            ("τ with networks trained alone", self.tau.told(2)),
            (f"τ, parameters within {100 * ALIKE:.0f} %", alike),
            (f"regret of its best {TOP}", signed(self.regret, 3)),
        ]
        if self.chosen_regret is not None:
            rows.append((f"regret of its best {TOP} by val", signed(self.chosen_regret, 3)))
        if self.perfect_regret is not None:
            rows.append((f"regret of the true best {TOP}", signed(self.perfect_regret, 3)))
        rows += [
            ("τ of the number of parameters", self.by_parameters.told(2)),
            ("τ less that of the number of parameters", self.over_parameters.told(2)),
            (f"regret of the {TOP} largest", signed(self.largest_regret, 3)),
            ("scores without training less those alone", signed(self.difference, 3)),
        ]
        if self.seeds is not None:
            seeds = self.seeds
            share = "" if seeds.share is None else seeds.share.told(2)
            rows += [
                ("τ with one seed", seeds.given.told(2)),
                ("τ of two seeds", seeds.tau.told(2)),
                ("τ with one seed over τ of two", share),
                (f"regret of its best {TOP}, by one seed", signed(seeds.given_regret, 3)),
                (f"regret of one seed's best {TOP}, by the other", signed(seeds.regret, 3)),
                ("deviation between seeds", signed(seeds.deviation, 3)),
            ]
        return rows


def _regret(ranked: Scores, judged: Scores) -> float:
    """How far those that are ranked highest lie below the best, on average; of noisy scores the
    best is lucky, so that a perfect ranking has a regret too.
    """
    top = np.argsort(-ranked, kind="stable")[:TOP]
    return float(judged.max() - judged[top].mean())
