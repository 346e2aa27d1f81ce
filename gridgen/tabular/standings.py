"""The tables of the benchmark's page: how sure it is, who stands where, what predicts a score."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gridgen.grid.subtopologies import named_subtopologies
from gridgen.study.report.entries import cost_title
from gridgen.study.report.statistics import Estimate
from gridgen.tabular.effects import Effect, seed_deviation
from gridgen.tabular.ranking import (
    agreement,
    estimated,
    mean_agreement,
    near,
    spread,
)
from gridgen.tabular.regret import SearchMethod
from gridgen.tabular.table import COSTS, PROXIES, SIMULATIONS, Scores, TopologyBenchmark
from gridgen.tabular.trainings import SPLITS, ScoredSplit, read_rows

DIGITS = 3
ALIKE = 0.1
"""Share by which parameters may differ where topologies of about equal parameters are compared."""
SHOWN = (10, 20, 40, 60, 100)
"""Trainings after which the table of searches tells the regret."""
REACHED = 40
"""Trainings after which it tells how many searches name one of the best."""
HEADINGS: Mapping[str, str] = {"val": "val", "holdout": "held out"}
TextRows = list[list[str]]


def sure_rows(benchmark: TopologyBenchmark) -> TextRows:
    """How far topologies and seeds lie apart, and how far two seeds agree on the order."""
    found = {split: benchmark.array(split)[:, :, -1] for split in SPLITS}
    spreads = {split: spread(scores) for split, scores in found.items()}
    rows = [["mean IoU", *HEADINGS.values()]]
    for title, name in (
        ("best topology, mean of its seeds", "best"),
        ("worst topology", "worst"),
        ("standard deviation between the means of topologies", "topologies"),
        ("difference that the seed makes to all of them", "shift"),
        ("standard deviation between seeds, without that", "seeds"),
        (
            "smallest difference that tells two topologies, chosen beforehand, apart",
            "told_apart",
        ),
    ):
        rows.append([title, *(f"{getattr(spreads[s], name):.{DIGITS}f}" for s in SPLITS)])
    worth = [f"{seed_deviation(benchmark, split):.{DIGITS}f}" for split in SPLITS]
    rows.append(["standard deviation between seeds of what a connection is worth", *worth])
    apart = [(spreads[s].best - spreads[s].worst) / spreads[s].seeds for s in SPLITS]
    rows.append(["best less worst, in standard deviations of seeds", *map("{:.1f}".format, apart)])
    level = [str(level_with_the_best(found[split])) for split in SPLITS]
    rows.append(["topologies that may be the best", *level])
    seeds = [agreement(found[s][:, 0], found[s][:, 1]).told(2) for s in SPLITS]
    rows.append(["τ of the orders of two seeds", *seeds])
    # The two scores of one training share its luck.
    both = mean_agreement(found["val"], found["holdout"][:, ::-1])
    return [*rows, ["τ of val and held out, of different seeds", *2 * [estimated(*both).told(2)]]]


def level_with_the_best(scores: Scores) -> int:
    """How many topologies may be the best of all: at 95 % one of them is."""
    return int((scores.mean(axis=1) > spread(scores).best_at_least).sum())


def named_topologies(benchmark: TopologyBenchmark) -> dict[str, str]:
    """The topologies that have names, by what the table calls them; those that it holds."""
    known = named_subtopologies(benchmark.spec)
    return {each.name: name for each, name in known.items() if each.name in benchmark}


def full_grid(benchmark: TopologyBenchmark) -> int | None:
    """The number of the full grid among the topologies, where it is one of them."""
    known = named_topologies(benchmark)
    return next((n for n, each in enumerate(benchmark) if known.get(each) == "gridnet"), None)


class TopologyStanding(NamedTuple):
    """Where a topology stands among all: its mean IoU on both splits, each with the rank, 1 for the
    highest; what it costs; and how many that need no more MACs score higher on what is held out.
    """

    topology: str
    holdout: float
    holdout_rank: int
    val: float
    val_rank: int
    parameters: int
    macs: int
    beaten_by: int


def standings(benchmark: TopologyBenchmark, names: Mapping[str, str]) -> list[TopologyStanding]:
    """Those of some topologies, named as `names` says, the highest held-out score first."""
    scores = {split: benchmark.means(split) for split in SPLITS}
    ranks = {split: ranks_of(scores[split]) for split in SPLITS}
    held_out, macs = scores["holdout"], benchmark.costs("macs")
    found = [
        TopologyStanding(
            names[name],
            float(held_out[at]),
            ranks["holdout"][at],
            float(scores["val"][at]),
            ranks["val"][at],
            entry.costs["parameters"],
            entry.costs["macs"],
            int(((macs <= macs[at]) & (held_out > held_out[at])).sum()),
        )
        for at, (name, entry) in enumerate(benchmark.items())
        if name in names
    ]
    return sorted(found, key=lambda each: each.holdout_rank)


def standing_rows(found: Sequence[TopologyStanding]) -> TextRows:
    """A table of standings, in their order."""
    titles = ["topology", "held out", "rank", "val", "rank", "parameters", "MMAC"]
    titles += ["held out per GMAC", "beaten by, at no more MACs"]
    rows = [
        [
            each.topology,
            f"{each.holdout:.{DIGITS}f}",
            str(each.holdout_rank),
            f"{each.val:.{DIGITS}f}",
            str(each.val_rank),
            f"{each.parameters:,}",
            f"{each.macs / 1e6:,.0f}",
            f"{each.holdout / each.macs * 1e9:.2f}",
            str(each.beaten_by),
        ]
        for each in found
    ]
    return [titles, *rows]


def ranks_of(scores: Scores) -> list[int]:
    """The rank of each: 1 for the highest."""
    return [int((scores > each).sum()) + 1 for each in scores]


def predicting_rows(benchmark: TopologyBenchmark) -> TextRows:
    """Kendall's tau of costs, proxies and early scores with the last score of a seed, the mean of
    both seeds; also among topologies of about equal parameters.

    An early score is that of the other seed: that of the same training would share its luck.
    """
    alike = near(benchmark.costs("parameters"), ALIKE)
    title = f"τ, {HEADINGS['holdout']}, parameters within {100 * ALIKE:.0f} %"
    rows = [["of the last score and", *(f"τ, {each}" for each in HEADINGS.values()), title]]
    scores = {split: benchmark.array(split) for split in SPLITS}
    last = {split: scores[split][:, :, -1] for split in SPLITS}
    told: dict[str, dict[ScoredSplit, Scores]] = {}
    for name, values in predictors(benchmark).items():
        told[name] = dict.fromkeys(SPLITS, np.stack([values, values], axis=1))
    for number, epoch in enumerate(benchmark.epochs[:-1]):
        # Seed 1 before seed 0, so that each is held against the other's last score.
        early = {split: scores[split][:, ::-1, number] for split in SPLITS}
        told[f"score of another seed at epoch {epoch}"] = early
    for name, known in told.items():
        found = [mean_agreement(known[split], last[split]) for split in SPLITS]
        found.append(mean_agreement(known["holdout"], last["holdout"], alike))
        rows.append([name, *(estimated(*each).told(2) for each in found)])
    return rows


def predictors(benchmark: TopologyBenchmark) -> dict[str, Scores]:
    """What is known of each topology before it is trained, by name."""
    found = {cost_title(name): benchmark.costs(name) for name in COSTS}
    proxies = {row.pop("topology"): row for row in read_rows(PROXIES)}
    for name in next(iter(proxies.values())):
        values = np.array([float(proxies[topology][name]) for topology in benchmark])
        found[cost_title(name)] = values
    return found


def effect_rows(found: Mapping[ScoredSplit, Sequence[Effect]]) -> TextRows:
    """What is lost with each connection, in points of IoU, from the effects on each split."""
    lost, alone = ([f"{what}, {each}" for each in HEADINGS.values()] for what in ("lost", "alone"))
    rows = [["connection", "cut with it", "networks left", *lost, "pairs", *alone]]
    for both in zip(*(found[split] for split in SPLITS), strict=True):
        effect = both[0]
        alone = ["" if e.alone is None else _points(e.alone) for e in both]
        pairs = str(effect.pairs) if effect.alone else ""
        row = [effect.connection, f"{effect.dropped - 1:.1f}", str(effect.groups)]
        rows.append([*row, *(_points(each.cut) for each in both), pairs, *alone])
    return rows


def _points(found: Estimate) -> str:
    return Estimate(100 * found.value, 100 * found.low, 100 * found.high).told(1)


def searches_rows(benchmark: TopologyBenchmark, judged_by: ScoredSplit) -> TextRows:
    """Mean regret of simulated searches after some trainings, in points of IoU; in brackets that of
    those that are told seed 0 and seed 1.
    """
    after, shown = [f"after {number}" for number in SHOWN], (*SHOWN, len(benchmark))
    rows = [[*SearchMethod._fields, *after, "after all", f"of the best 2 % after {REACHED}"]]
    for method, found in simulated(benchmark, judged_by).items():
        regrets = [found[number].regret.told if number in found else "" for number in shown]
        reached = f"{100 * found[REACHED].found:.0f} %" if REACHED in found else ""
        rows.append([*method, *regrets, reached])
    return rows


class Regret(NamedTuple):
    """Mean regret of searches after some trainings, and that of those that are told each seed."""

    mean: float
    by_seed: tuple[float, ...]

    @property
    def told(self) -> str:
        """The regrets in points of IoU."""
        by_seed = ", ".join(f"{100 * each:.1f}" for each in self.by_seed)
        return f"{100 * self.mean:.1f} ({by_seed})"


class Searched(NamedTuple):
    """The regret of searches, and the share of them that name one of the best 2 %."""

    regret: Regret
    found: float


def untried(benchmark: TopologyBenchmark, judged_by: ScoredSplit) -> dict[str, Regret]:
    """The regret of the full grid, where it is in the table, and of a network at random: of what
    needs no search, judged as searches are.
    """
    judge, full = benchmark.array(judged_by)[:, :, -1], full_grid(benchmark)
    scores = {} if full is None else {"the full grid": judge[full]}
    scores["a network at random"] = judge.mean(axis=0)
    regrets = {what: judge.max(axis=0) - each for what, each in scores.items()}
    # Who is told one seed is judged by the other.
    return {what: Regret(each.mean(), tuple(each[::-1])) for what, each in regrets.items()}


DRAWN: Mapping[SearchMethod, str] = {
    SearchMethod("random"): "random",
    SearchMethod("random", pruner="halving"): "random, halving",
    SearchMethod("tpe"): "TPE",
    SearchMethod("random", prefilter="costs"): "random, prefilter",
}
"""Searches whose regret is drawn, each with its title; the table has all."""


def simulated(
    benchmark: TopologyBenchmark, judged_by: ScoredSplit
) -> dict[SearchMethod, dict[int, Searched]]:
    """What was found on this very table, by method and number of trainings."""
    table: dict[SearchMethod, dict[int, Searched]] = {}
    for row in read_rows(SIMULATIONS):
        if (row["judged_by"], row["digest"]) == (judged_by, benchmark.digest):
            method = SearchMethod.of(row)
            by_seed = tuple(float(row[f"regret_{seed}"]) for seed in benchmark.seeds)
            found = Searched(Regret(float(row["regret"]), by_seed), float(row["found"]))
            table.setdefault(method, {})[int(row["trainings"])] = found
    return table


def regret_curve(found: Mapping[int, Searched]) -> list[tuple[int, float]]:
    """The points to draw: mean regret by trainings, as far as methods are compared."""
    points = ((trainings, each.regret.mean) for trainings, each in found.items())
    return [point for point in points if point[0] <= SHOWN[-1]]
