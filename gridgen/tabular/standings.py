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
from gridgen.tabular.table import COSTS, PROXIES, SEEDS, SIMULATIONS, Scores, TopologyBenchmark
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
        ("least difference that the seeds show, of a pair chosen beforehand", "told_apart"),
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
    both = mean_agreement(found["val"][:, :2], found["holdout"][:, 1::-1])
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


def standing_rows(benchmark: TopologyBenchmark, names: Mapping[str, str]) -> TextRows:
    """Scores, ranks and costs of some topologies, in the order of the held-out score.

    "beaten by" says how many of those that need no more MACs score higher on the hold-out.
    """
    ranks = {split: ranks_of(benchmark.means(split)) for split in SPLITS}
    order = {name: number for number, name in enumerate(benchmark)}
    held_out, macs = benchmark.means("holdout"), benchmark.costs("macs")
    costs = ("parameters", "MMAC", "held out per GMAC", "beaten by, at no more MACs")
    rows = [["topology", "held out", "rank", "val", "rank", *costs]]
    for name in sorted(names, key=lambda each: ranks["holdout"][order[each]]):
        at, entry = order[name], benchmark[name]
        beaten = int(((macs <= macs[at]) & (held_out > held_out[at])).sum())
        row = [names[name]]
        for split in ("holdout", "val"):
            row += [f"{entry.mean(split):.{DIGITS}f}", str(ranks[split][at])]
        row += [f"{entry.costs['parameters']:,}", f"{macs[at] / 1e6:,.0f}"]
        rows.append([*row, f"{held_out[at] / macs[at] * 1e9:.2f}", str(beaten)])
    return rows


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
    last = {split: scores[split][:, :2, -1] for split in SPLITS}  # of both seeds
    told: dict[str, dict[ScoredSplit, Scores]] = {}
    for name, values in predictors(benchmark).items():
        told[name] = dict.fromkeys(SPLITS, np.stack([values, values], axis=1))
    for number, epoch in enumerate(benchmark.epochs[:-1]):
        # Seed 1 before seed 0, so that each is held against the other's last score.
        early = {split: scores[split][:, 1::-1, number] for split in SPLITS}
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
    rows = [["connection", "cut with it", *(f"lost, {each}" for each in HEADINGS.values())]]
    rows[0] += ["pairs", *(f"alone, {each}" for each in HEADINGS.values())]
    for both in zip(*(found[split] for split in SPLITS), strict=True):
        effect = both[0]
        alone = ["" if e.alone is None else _points(e.alone) for e in both]
        pairs = str(effect.pairs) if effect.alone else ""
        cut = (_points(each.cut) for each in both)
        rows.append([effect.connection, f"{effect.dropped - 1:.1f}", *cut, pairs, *alone])
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
        regrets = [found[number].told if number in found else "" for number in shown]
        reached = f"{100 * found[REACHED].found:.0f} %" if REACHED in found else ""
        rows.append([*method, *regrets, reached])
    return rows


class Searched(NamedTuple):
    """Mean regret of searches after some trainings, that of those that are told each seed, and the
    share of searches that name one of the best 2 %.
    """

    regret: float
    by_seed: tuple[float, ...]
    found: float

    @property
    def told(self) -> str:
        """The regrets in points of IoU."""
        by_seed = ", ".join(f"{100 * each:.1f}" for each in self.by_seed)
        return f"{100 * self.regret:.1f} ({by_seed})"


def untried(benchmark: TopologyBenchmark, judged_by: ScoredSplit) -> dict[str, Searched]:
    """The regret of the full grid, where it is in the table, and of a network at random: of what
    needs no search, judged as searches are.
    """
    judge, full = benchmark.array(judged_by)[:, : len(SEEDS), -1], full_grid(benchmark)
    scores = {} if full is None else {"the full grid": judge[full]}
    scores["a network at random"] = judge.mean(axis=0)
    regrets = {what: judge.max(axis=0) - each for what, each in scores.items()}
    # Who is told one seed is judged by the other.
    return {what: Searched(each.mean(), tuple(each[::-1]), 0.0) for what, each in regrets.items()}


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
    """What was found by method and number of trainings, as far as it was simulated on as many
    topologies.
    """
    table: dict[SearchMethod, dict[int, Searched]] = {}
    for row in read_rows(SIMULATIONS):
        if (row["judged_by"], row["topologies"]) == (judged_by, str(len(benchmark))):
            method = SearchMethod.of(row)
            by_seed = tuple(float(row[f"regret_{seed}"]) for seed in SEEDS)
            found = Searched(float(row["regret"]), by_seed, float(row["found"]))
            table.setdefault(method, {})[int(row["trainings"])] = found
    return table


def regret_curve(found: Mapping[int, Searched]) -> list[tuple[int, float]]:
    """The points to draw: mean regret by trainings, as far as methods are compared."""
    return [(trainings, each.regret) for trainings, each in found.items() if trainings <= SHOWN[-1]]
