"""The tables of the benchmark's page: how sure it is, who stands where, what foretells a score."""

from collections.abc import Mapping

import numpy as np

from gridgen.grid import TOPOLOGIES, build_grid
from gridgen.grid.subtopologies import Subtopology
from gridgen.study.report.statistics import signed
from gridgen.tabular.ranking import Estimate, Spread, agreement, kendall, near, spread
from gridgen.tabular.table import (
    COSTS,
    PROXIES,
    SIMULATIONS,
    SPLITS,
    ScoredSplit,
    Scores,
    TopologyBenchmark,
    read_rows,
)

DIGITS = 3
ALIKE = 0.1
"""Share by which parameters may differ where topologies of about equal parameters are compared."""
SHOWN = (10, 20, 40, 60, 100)
"""Trainings after which the table of searches tells the regret."""
HEADINGS: Mapping[str, str] = {"val": "val", "holdout": "held out"}
TextRows = list[list[str]]


def told(found: Estimate) -> str:
    """A value with its interval.

    >>> told(Estimate(0.5, -0.25, 0.75))
    '0.50 (−0.25 to 0.75)'
    """
    value, low, high = (signed(each, 2) for each in (found.value, found.low, found.high))
    return f"{value} ({low} to {high})"


def sure_rows(benchmark: TopologyBenchmark) -> TextRows:
    """How far topologies and seeds lie apart, and how far two seeds agree on the order."""
    rows = [["mean IoU", *HEADINGS.values()]]
    found = {split: benchmark.array(split)[:, :, -1] for split in SPLITS}
    spreads = {split: spread(scores) for split, scores in found.items()}
    for title, name in (
        ("best topology, mean of its seeds", "best"),
        ("worst topology", "worst"),
        ("standard deviation between topologies", "topologies"),
        ("shift of all topologies by the seed", "shift"),
        ("standard deviation of seeds, beside that shift", "seeds"),
        ("difference of two topologies that so many seeds can tell", "told_apart"),
    ):
        rows.append([title, *(f"{getattr(spreads[s], name):.{DIGITS}f}" for s in SPLITS)])
    level = [str(_level_with_the_best(found[s], spreads[s])) for s in SPLITS]
    rows.append(["topologies that cannot be told from the best", *level])
    apart = [(spreads[s].best - spreads[s].worst) / spreads[s].seeds for s in SPLITS]
    rows.append(["best less worst, in standard deviations of seeds", *map("{:.1f}".format, apart)])
    seeds = [told(agreement(found[s][:, 0], found[s][:, 1])) for s in SPLITS]
    rows.append(["τ of the orders of two seeds", *seeds])
    both = told(agreement(benchmark.means("val"), benchmark.means("holdout")))
    return [*rows, ["τ of val and held out", both, both]]


def _level_with_the_best(scores: Scores, found: Spread) -> int:
    """How many topologies are nearer to the best than the seeds can tell, that one included."""
    return int((scores.mean(axis=1) > found.best - found.told_apart).sum())


def named_topologies(benchmark: TopologyBenchmark) -> dict[str, str]:
    """The topologies that have names, by what the table calls them; those that it holds."""
    found: dict[str, str] = {}
    for name in TOPOLOGIES:
        connections = build_grid(benchmark.spec.but(topology=name))
        key = Subtopology(tuple(each.name for each in connections)).name
        if key in benchmark:
            found.setdefault(key, name)
    return found


def standing_rows(benchmark: TopologyBenchmark, names: Mapping[str, str]) -> TextRows:
    """Scores, places and costs of some topologies, in the order of the held-out score.

    "beaten by" says how many of those that need no more MACs score higher on the hold-out.
    """
    places = {split: _places(benchmark.means(split)) for split in SPLITS}
    order = {name: number for number, name in enumerate(benchmark)}
    held_out, macs = benchmark.means("holdout"), benchmark.costs("macs")
    costs = ("parameters", "MMAC", "held out per GMAC", "beaten by, at no more MACs")
    rows = [["topology", "held out", "place", "val", "place", *costs]]
    for name in sorted(names, key=lambda each: places["holdout"][order[each]]):
        at, entry = order[name], benchmark[name]
        beaten = int(((macs <= macs[at]) & (held_out > held_out[at])).sum())
        row = [names[name]]
        for split in ("holdout", "val"):
            row += [f"{entry.mean(split):.{DIGITS}f}", str(places[split][at])]
        row += [f"{entry.costs['parameters']:,}", f"{macs[at] / 1e6:,.0f}"]
        rows.append([*row, f"{held_out[at] / macs[at] * 1e9:.2f}", str(beaten)])
    return rows


def _places(scores: Scores) -> list[int]:
    """The place of each: 1 for the highest."""
    return [int((scores > each).sum()) + 1 for each in scores]


def foretelling_rows(benchmark: TopologyBenchmark) -> TextRows:
    """Kendall's tau of costs, proxies and early scores with the last scores, and of them among
    topologies of about equal parameters.
    """
    alike = near(benchmark.costs("parameters"), ALIKE)
    title = f"τ, parameters within {100 * ALIKE:.0f} %"
    rows = [["of a score after the last epoch and", *(f"τ, {h}" for h in HEADINGS.values()), title]]
    for name, values in foretellers(benchmark).items():
        found = [told(agreement(values, benchmark.means(split))) for split in SPLITS]
        rows.append([name, *found, told(agreement(values, benchmark.means("val"), alike))])
    for place, epoch in enumerate(benchmark.epochs[:-1]):
        # Of another seed: the early score of the same training would share its luck.
        early = [f"{_early(benchmark, split, place):.2f}" for split in SPLITS]
        rows.append([f"score of another seed at epoch {epoch}", *early, ""])
    return rows


def _early(benchmark: TopologyBenchmark, split: ScoredSplit, place: int) -> float:
    scores = benchmark.array(split)
    return kendall(scores[:, 0, place], scores[:, 1, -1])


def foretellers(benchmark: TopologyBenchmark) -> dict[str, Scores]:
    """What is known of each topology before it is trained, by name."""
    found = {name.replace("_", " "): benchmark.costs(name) for name in COSTS}
    proxies = {row.pop("topology"): row for row in read_rows(PROXIES)}
    for name in next(iter(proxies.values())):
        values = np.array([float(proxies[topology][name]) for topology in benchmark])
        found[name.replace("_", " ")] = values
    return found


def searches_rows(judged_by: ScoredSplit) -> TextRows:
    """Mean regret of simulated searches after some trainings, in points of IoU."""
    rows = [
        ["sampler", "pruner", "sees", *(f"after {n}" for n in SHOWN), "found the top 2 % by 40"]
    ]
    for method, found in simulated(judged_by).items():
        regrets = [f"{100 * found[n][0]:.1f}" if n in found else "" for n in SHOWN]
        reached = f"{100 * found[40][1]:.0f} %" if 40 in found else ""
        rows.append([*method, *regrets, reached])
    return rows


Method = tuple[str, str, str]


def simulated(judged_by: ScoredSplit) -> dict[Method, dict[int, tuple[float, float]]]:
    """By method and number of trainings: mean regret, and the share that found the best 2 %."""
    table: dict[Method, dict[int, tuple[float, float]]] = {}
    for row in read_rows(SIMULATIONS):
        if row["judged_by"] == judged_by:
            method = row["sampler"], row["pruner"], row["encoding"]
            values = float(row["regret"]), float(row["found"])
            table.setdefault(method, {})[int(row["trainings"])] = values
    return table
