"""The page of the benchmark: what all trained sub-topologies say, and how sure it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gridgen.arguments import PathLike, checked
from gridgen.files import write_file
from gridgen.grid import TOPOLOGIES, build_grid
from gridgen.pages.intervals import Interval, intervals
from gridgen.pages.page import ChartCurve, chart, rendered
from gridgen.pages.plot import PlotPoint, plot, stepped
from gridgen.render.sketch import sketch
from gridgen.study.fronts import pareto_front
from gridgen.study.report.statistics import Estimate
from gridgen.tabular.effects import Effect, effects
from gridgen.tabular.ranking import perfect_regret
from gridgen.tabular.standings import (
    DRAWN,
    HEADINGS,
    effect_rows,
    full_grid,
    level_with_the_best,
    named_topologies,
    predicting_rows,
    ranks_of,
    regret_curve,
    searches_rows,
    simulated,
    standing_rows,
    standings,
    sure_rows,
    untried,
)
from gridgen.tabular.table import TopologyBenchmark, topology_benchmark
from gridgen.tabular.trainings import SPLITS, ScoredSplit

BEST = 12
"""Topologies in the list of the best."""


@checked
def write_topologies_page(path: PathLike, benchmark: TopologyBenchmark | None = None) -> Path:
    """Write what the benchmark of all sub-topologies says as one HTML page. Errors: `FileError`."""
    return write_file(path, topologies_page(benchmark or topology_benchmark()))


def topologies_page(benchmark: TopologyBenchmark) -> str:
    """The page as HTML."""
    known = named_topologies(benchmark)
    ranked = sorted(benchmark, key=lambda name: -benchmark[name].mean("holdout"))
    best = {name: known.get(name, name) for name in ranked[:BEST]}
    drawn = (known | best).items()
    lost = {split: effects(benchmark, split) for split in SPLITS}
    return rendered(
        "topologies",
        headline=headline(benchmark),
        trainings=len(benchmark) * len(benchmark.seeds),
        topologies=len(benchmark),
        sure=sure_rows(benchmark),
        known=standing_rows(standings(benchmark, known)),
        best=standing_rows(standings(benchmark, best)),
        sketches=[
            (target(name), title, sketch(build_grid(benchmark[name].spec))) for name, title in drawn
        ],
        plots=[_plot(benchmark, split, dict(drawn)) for split in SPLITS],
        effect_rows=effect_rows(lost),
        effects=_effects(lost),
        predicting=predicting_rows(benchmark),
        searches=searches_rows(benchmark, "holdout"),
        perfect=f"{100 * perfect_regret(benchmark.array('holdout')[:, :, -1], seeds=1):.1f}",
        untried=[(what, each.told) for what, each in untried(benchmark, "holdout").items()],
        regret=_regret(benchmark, "holdout"),
    )


def headline(benchmark: TopologyBenchmark) -> str:
    """How many may be the best, and where the full grid stands, in one sentence."""
    scores = benchmark.means("holdout")
    level = level_with_the_best(benchmark.array("holdout")[:, :, -1])
    told = f"{level} of {len(benchmark)} topologies may be the best, as far as two seeds tell"
    full = full_grid(benchmark)
    if full is None:
        return f"On the drive that was held out, {told}."
    place = f"the full grid is number {ranks_of(scores)[full]} with {scores[full]:.3f}"
    ends = f"the scores go from {scores.min():.3f} to {scores.max():.3f}"
    return f"On the drive that was held out, {told}; {place}, where {ends}."


def _plot(benchmark: TopologyBenchmark, split: ScoredSplit, drawn: dict[str, str]) -> Any:
    """Score against MACs; those with a sketch are marked and lead to it, and the front is drawn."""
    macs, scores = benchmark.costs("macs"), benchmark.means(split)
    points = [
        PlotPoint(
            cost,
            score,
            target(name) if name in drawn else "",
            f"{drawn.get(name, name)}: {score:.3f}, {cost / 1e6:.0f} MMAC",
            _style(drawn.get(name)),
            "diamond" if drawn.get(name) in TOPOLOGIES else "circle",
        )
        # Those that are marked are drawn last, above the others.
        for name, cost, score in sorted(
            zip(benchmark, macs, scores, strict=True), key=lambda each: each[0] in drawn
        )
    ]
    front = [(macs[place], scores[place]) for place in pareto_front([*macs], [*scores])]
    line = ChartCurve("front", "front", stepped(front))
    return plot(f"IoU, {HEADINGS[split]}, against MACs of 120x160", "MACs", points, [line])


def target(name: str) -> str:
    """What the sketch of a topology is called in the page."""
    return f"topology-{name}"


def _style(title: str | None) -> str:
    if title is None:
        return "hollow"
    return "baseline" if title in TOPOLOGIES else "best"


def _effects(found: Mapping[ScoredSplit, Sequence[Effect]]) -> dict[str, Any]:
    """What is lost with each connection, on both splits."""
    rows = [
        (
            pair[0].connection,
            [_interval(each.cut, split) for each, split in zip(pair, SPLITS, strict=True)],
        )
        for pair in zip(*found.values(), strict=True)
    ]
    legend = [(HEADINGS[split], split) for split in SPLITS]
    return intervals("IoU that is lost with each connection", "IoU", rows, legend)


def _interval(found: Estimate, style: str) -> Interval:
    return Interval(found.value, found.low, found.high, style)


def _regret(benchmark: TopologyBenchmark, split: ScoredSplit) -> dict[str, Any] | None:
    """Mean regret by trainings of the methods in `DRAWN`."""
    found = simulated(benchmark, split)
    curves = [
        ChartCurve(title, f"method-{number}", regret_curve(found[method]))
        for number, (method, title) in enumerate(DRAWN.items())
        if method in found
    ]
    drawn = chart(f"Mean regret, {HEADINGS[split]}", "trainings", curves)
    return drawn and drawn | {"name": "regret"}
