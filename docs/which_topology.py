"""Draws the figures of docs/which-topology.md from the table of all sub-topologies.

Run it with `python -m docs.which_topology` in the root of the repository.
"""

from pathlib import Path

from matplotlib.figure import Figure

from gridgen import TopologyBenchmark, topology_benchmark
from gridgen.figures import legend_beside, new_figure, save_svg
from gridgen.figures.palette import FAINT, LIGHT, topology_style
from gridgen.study.fronts import pareto_front
from gridgen.tabular.effects import effects
from gridgen.tabular.standings import (
    DRAWN,
    HEADINGS,
    named_topologies,
    regret_curve,
    simulated,
    untried,
)
from gridgen.tabular.trainings import SPLITS

HERE = Path(__file__).parent
COLOURS = {"val": LIGHT.mark, "holdout": LIGHT.wrong}
STYLES = {"random": "-", "random, halving": "--", "TPE": ":", "random, prefilter": "-."}


def draw_scores(benchmark: TopologyBenchmark) -> None:
    """Every topology's score against its MACs, those with names in colour."""
    known, macs = named_topologies(benchmark), benchmark.costs("macs") / 1e6
    figure, axes = new_figure(10, 3.8, parts=2)
    for split, axis in zip(SPLITS, axes, strict=True):
        scores = 100 * benchmark.means(split)
        axis.scatter(macs, scores, s=14, color=FAINT)
        front = pareto_front([*macs], [*scores])
        axis.plot(
            macs[front], scores[front], color=LIGHT.quiet, linewidth=1, drawstyle="steps-post"
        )
        for place, name in enumerate(benchmark):
            if name in known:
                style = topology_style(known[name])
                axis.scatter(macs[place], scores[place], s=60, label=known[name], **style)
        axis.set(title=HEADINGS[split], xlabel="MMAC of 120x160", ylabel="mean IoU, %")
    legend_beside(axes[1])
    save(figure, "scores")


def draw_effects(benchmark: TopologyBenchmark) -> None:
    """What each connection is worth, with 95 % intervals."""
    figure, (axis,) = new_figure(7, 5.4)
    for number, split in enumerate(SPLITS):
        found = effects(benchmark, split)
        rows = [row + 0.3 * number for row in range(len(found))]
        values = [100 * each.cut.value for each in found]
        ends = [[100 * (e.cut.value - e.cut.low), 100 * (e.cut.high - e.cut.value)] for e in found]
        errors = list(zip(*ends, strict=True))
        axis.errorbar(
            values, rows, xerr=errors, fmt="o", color=COLOURS[split], label=HEADINGS[split]
        )
    axis.set_yticks(range(len(found)), [each.connection for each in found])
    axis.invert_yaxis()
    axis.axvline(0, color=LIGHT.quiet, linewidth=1)
    axis.set(xlabel="points of IoU with the connection, less without it")
    axis.legend(frameon=False)
    save(figure, "effects")


def draw_regret(benchmark: TopologyBenchmark) -> None:
    """Mean regret of simulated searches, and that of the full grid, for which nobody searches."""
    figure, (axis,) = new_figure(6, 3.6)
    for method, found in simulated(benchmark, "holdout").items():
        if method in DRAWN:
            title = DRAWN[method]
            trainings, regret = zip(*regret_curve(found), strict=True)
            style = {"color": LIGHT.ink, "linestyle": STYLES[title]}
            axis.plot(trainings, [100 * each for each in regret], marker=".", label=title, **style)
    full = 100 * untried(benchmark, "holdout")["the full grid"].mean
    axis.axhline(full, color=LIGHT.wrong, linewidth=1, label="the full grid")
    axis.set(xlabel="whole trainings", ylabel="regret, points of IoU", ylim=(0, None))
    axis.legend(frameon=False)
    save(figure, "regret")


def save(figure: Figure, name: str) -> None:
    """Write a figure as SVG, the same each time."""
    print(f"wrote {save_svg(figure, HERE / f'which-topology-{name}.svg')}")


if __name__ == "__main__":
    benchmark = topology_benchmark()
    draw_scores(benchmark)
    draw_effects(benchmark)
    draw_regret(benchmark)
