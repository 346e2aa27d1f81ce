"""The page of the benchmark: what all trained sub-topologies say, and how sure it is."""

from pathlib import Path
from typing import Any

from gridgen.arguments import PathLike, checked
from gridgen.files import write_file
from gridgen.grid import build_grid
from gridgen.pages.intervals import Interval, intervals
from gridgen.pages.page import ChartCurve, chart, rendered
from gridgen.pages.plot import PlotPoint, pareto_front, plot, stepped
from gridgen.render.sketch import sketch
from gridgen.tabular.ranking import Estimate, effects
from gridgen.tabular.standings import (
    HEADINGS,
    foretelling_rows,
    named_topologies,
    searches_rows,
    simulated,
    standing_rows,
    sure_rows,
)
from gridgen.tabular.table import SPLITS, ScoredSplit, TopologyBenchmark, topology_benchmark

DRAWN = {
    ("random", "none", "place"): ("random", "train"),
    ("random", "halving", "place"): ("random, halving", "val"),
    ("tpe", "none", "place"): ("TPE", "holdout"),
}
"""Searches whose regret is drawn, each with its title and style; the table has all."""
BEST = 12
"""Topologies in the list of the best."""


@checked
def write_topologies_page(path: PathLike) -> Path:
    """Write what the benchmark of all sub-topologies says as one HTML page. Errors: `FileError`."""
    return write_file(path, topologies_page(topology_benchmark()))


def topologies_page(benchmark: TopologyBenchmark) -> str:
    """The page as HTML."""
    known = named_topologies(benchmark)
    ranked = sorted(benchmark, key=lambda name: -benchmark[name].mean("holdout"))
    best = {name: known.get(name, name) for name in ranked[:BEST]}
    drawn = dict.fromkeys([*known, *best])
    return rendered(
        "topologies",
        headline=headline(benchmark),
        trainings=sum(len(each.trainings) for each in benchmark.values()),
        topologies=len(benchmark),
        sure=sure_rows(benchmark),
        known=standing_rows(benchmark, known),
        best=standing_rows(benchmark, best),
        sketches=[(best.get(n) or known[n], sketch(build_grid(benchmark[n].spec))) for n in drawn],
        plots=[_plot(benchmark, split, known) for split in SPLITS],
        effects=_effects(benchmark),
        foretelling=foretelling_rows(benchmark),
        searches=searches_rows("holdout"),
        regret=_regret("holdout"),
    )


def headline(benchmark: TopologyBenchmark) -> str:
    """Where the full grid stands, in one sentence."""
    held_out = sorted((each.mean("holdout") for each in benchmark.values()), reverse=True)
    told = f"{held_out[0]:.3f} has the best of {len(benchmark)}, {held_out[-1]:.3f} the worst"
    full = {name: key for key, name in named_topologies(benchmark).items()}.get("gridnet")
    if full is None:
        return f"On the drive that was held out, {told}."
    score = benchmark[full].mean("holdout")
    place = held_out.index(score) + 1
    return (
        f"On the drive that was held out, the full grid is number {place} with {score:.3f}; {told}."
    )


def _plot(benchmark: TopologyBenchmark, split: ScoredSplit, known: dict[str, str]) -> Any:
    """Score against MACs, those with names marked, and the front."""
    macs, scores = benchmark.costs("macs"), benchmark.means(split)
    points = [
        PlotPoint(
            cost,
            score,
            "known" if name in known else "best",
            f"{known.get(name, name)}: {score:.3f}, {cost / 1e6:.0f} MMAC",
            "baseline" if name in known else "hollow",
            "diamond" if name in known else "circle",
        )
        # Those with names are drawn last, above the others.
        for name, cost, score in sorted(
            zip(benchmark, macs, scores, strict=True), key=lambda each: each[0] in known
        )
    ]
    front = [(macs[place], scores[place]) for place in pareto_front([*macs], [*scores])]
    line = ChartCurve("front", "front", stepped(front))
    return plot(f"IoU, {HEADINGS[split]}, against MACs of 120x160", "MACs", points, [line])


def _effects(benchmark: TopologyBenchmark) -> dict[str, Any]:
    """What each connection is worth, on both splits."""
    found = {split: effects(benchmark, split) for split in SPLITS}
    rows = [
        (
            pair[0].connection,
            [_interval(each.cut, split) for each, split in zip(pair, SPLITS, strict=True)],
        )
        for pair in zip(*found.values(), strict=True)
    ]
    legend = [(HEADINGS[split], split) for split in SPLITS]
    return intervals("IoU with a connection less without it", "IoU", rows, legend)


def _interval(found: Estimate, style: str) -> Interval:
    return Interval(found.value, found.low, found.high, style)


def _regret(split: ScoredSplit) -> dict[str, Any] | None:
    """Mean regret by trainings of the methods in `DRAWN`."""
    found = simulated(split)
    curves = [
        ChartCurve(title, style, _points(found[method]))
        for method, (title, style) in DRAWN.items()
        if method in found
    ]
    drawn = chart(f"Mean regret, {HEADINGS[split]}", "trainings", curves)
    return drawn and drawn | {"name": "regret"}


def _points(found: dict[int, tuple[float, float]]) -> list[tuple[float, float]]:
    return [(trainings, regret) for trainings, (regret, _) in found.items()]
