"""How far the scores that a supernet gives agree with those of networks trained alone.

Kendall's tau beside that of two seeds of the networks trained alone, and how much is lost where the
best by the supernet are taken.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from gridgen.arguments import PathLike, checked
from gridgen.errors import RunError, UsageError
from gridgen.files import is_file, read_text, write_file
from gridgen.progress import OnProgress, no_progress
from gridgen.shown import Shown, ShownRows
from gridgen.study.report.statistics import Estimate, signed
from gridgen.supernet.alone import TrainedAlone, benchmarked, require_task, trained_alone
from gridgen.supernet.scoring import RunLike, SubnetworkScore, SubnetworkScorer
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
from gridgen.tabular.table import Scores, TopologyBenchmark

FILE = "agreement.json"
FEWEST = 10
"""Networks of which an agreement can be told at all."""
TOP = 5
"""Networks that the supernet ranks highest, of which the regret is told."""


@dataclass(frozen=True)
class SeedAgreement:
    """What can be asked for: how far single trainings agree, of networks with two seeds each.

    `tau` of the orders of two seeds, and `given`, the mean of those of the supernet with one seed,
    which is as noisy; `share` is the second over the first, None where two seeds may agree no more
    than by chance. `regret` and `given_regret` likewise, of networks that one seed or the supernet
    ranks highest, judged by a single seed. `deviation` is the standard deviation between the seeds
    of one network.
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
        share = None
        if tau.low > 0:
            share = estimated(value / tau.value, drawn / taus(one, other))
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


@dataclass(frozen=True, repr=False)
class Agreement(Shown):
    """The agreement of a supernet with networks trained alone, by column of metrics.csv.

    `weights` is the digest of the weights that it is of.
    """

    weights: str
    networks: int
    against: str
    scores: Mapping[str, ScoreAgreement]

    @classmethod
    def of(
        cls,
        scored: Sequence[SubnetworkScore],
        alone: Sequence[TrainedAlone],
        columns: Sequence[str],
        weights: str,
        against: str,
    ) -> "Agreement":
        """Of networks and of the same ones trained alone, by the seeds that all of them have.

        `columns` are those of the metric, that on val first. Errors: `UsageError` where no seed is
        common to all.
        """
        parameters, seeds = [each.costs["parameters"] for each in scored], common_seeds(alone)
        found: dict[str, ScoreAgreement] = {}
        for column in columns:
            given = [each.scores[column] for each in scored]
            theirs = [[each.scores[seed][column] for seed in seeds] for each in alone]
            on_val = [each.scores[columns[0]] for each in scored]
            chosen = None if column == columns[0] else on_val
            found[column] = ScoreAgreement.of(given, theirs, parameters, chosen)
        return cls(weights, len(scored), against, found)

    def rows(self) -> ShownRows:
        """All numbers, score by score."""
        rows = [("checked against", f"{self.networks} networks: {self.against}")]
        for column, found in self.scores.items():
            rows += [(column, ""), *((f"  {label}", value) for label, value in found.rows())]
        return rows

    @property
    def line(self) -> str:
        """How far the scores can be trusted, in one line."""
        told = []
        for column, found in self.scores.items():
            if found.seeds is None:
                told.append(f"{column} τ {found.tau.told(2)}")
            else:
                seeds = found.seeds
                told.append(f"{column} τ {seeds.given.told(2)}, two seeds {seeds.tau.told(2)}")
        return f"{'; '.join(told)}: {self.networks} networks trained alone"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def write(self, folder: Path) -> None:
        """Keep it in the folder of the run."""
        write_file(folder / FILE, json.dumps(self.as_json(), indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path, weights: str) -> "Agreement | None":
        """What was found of these weights; None where nothing was. Errors: `RunError`."""
        path = folder / FILE
        if not is_file(path):
            return None
        try:
            found = TypeAdapter(cls).validate_json(read_text(path))
        except (OSError, ValueError) as error:
            fact = f"{path}: damaged"
            raise RunError(f"{fact}; remove it, and run gridgen supernet check again") from error
        return found if found.weights == weights else None


def common_seeds(alone: Sequence[TrainedAlone]) -> list[int]:
    """The seeds that all networks were trained with: means over others could not be compared.

    Errors: `UsageError` where there is none.
    """
    seeds = sorted(set.intersection(*({*each.scores} for each in alone)))
    if not seeds:
        theirs = sorted(set().union(*(each.scores for each in alone)))
        fact = f"no seed is common to the networks trained alone, which have {theirs}"
        raise UsageError(f"{fact}; train each of them with the same seeds")
    return seeds


UNCHECKED = "unchecked: gridgen supernet check compares them with networks trained alone"


def trust(found: Agreement | None) -> str:
    """What stands beside all that rests on scores without training."""
    return UNCHECKED if found is None else found.line


@checked
def check_supernet(
    run: RunLike,
    alone: Sequence[PathLike] = (),
    *,
    benchmark: TopologyBenchmark | None = None,
    device: str = "auto",
    on_progress: OnProgress = no_progress,
) -> Agreement:
    """How far the scores of sub-networks agree with those of networks trained alone; kept in the
    run, whose pages and tables show it from then on.

    `alone` are folders of trainings and of searches on the same data, or the networks are those of
    a `benchmark`. Those that are no sub-networks of it are left out, and confirmations of searches,
    which are of their best alone. Errors: `UsageError` for fewer than ten; `RunError`; as
    `score_subnetworks`.
    """
    if alone and benchmark is not None:
        raise UsageError("networks trained alone and a benchmark are given; give one of them")
    scorer = SubnetworkScorer(run, device)
    if benchmark is not None:
        require_task(scorer.run)
        known, against = benchmarked(benchmark), "the topology benchmark"
    else:
        known = trained_alone(map(Path, alone), scorer.run)
        against = ", ".join(map(str, alone))
    verdicts = [(each, scorer.refusal(each.grid)) for each in known]
    refused = [why for _, why in verdicts if why]
    known = [each for each, why in verdicts if not why]
    if len(known) < FEWEST:
        fact = f"{len(known)} sub-networks trained alone tell nothing of an order"
        left_out = f" ({len(refused)} more are none: {refused[0]})" if refused else ""
        raise UsageError(f"{fact}{left_out}; give {FEWEST} at least")
    scored = scorer.score([each.grid for each in known], on_progress)
    found = Agreement.of(scored, known, scorer.metrics, scorer.digest, against)
    found.write(scorer.run.folder)
    return found
