"""Comparisons in docs/which-topology.md that the page of gridgen topologies lacks.

    python -m benchmarks.topologies.compared

Points of mean IoU on the held-out drive, those on val in brackets. Nothing is trained.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.topologies.train import AGAIN_SEED
from gridgen import TopologyBenchmark, topology_benchmark
from gridgen.grid.topologies import TOPOLOGIES
from gridgen.tabular.ranking import agreement, estimated, mean_agreement, near, spread
from gridgen.tabular.standings import ranks_of
from gridgen.tabular.table import CostName, Scores
from gridgen.tabular.trainings import SPLITS

LOWEST = "lateral_2_2"
"""What a topology with maps in the lowest stream has."""
FULL_RESOLUTION = "lateral_0_*"
ADDITIONS = (
    ("sub_2_0", "lateral_2_1"),
    ("lateral_2_3", "up_1_3"),
    ("sub_1_1",),
    ("up_0_2",),
)
"""What U-Net and FRRN lack, each by itself."""


class Table:
    """The scores as arrays: the held-out drive first, then val."""

    def __init__(self, benchmark: TopologyBenchmark) -> None:
        self.benchmark, self.names = benchmark, [*benchmark]
        self.splits = SPLITS[::-1]
        self.means = {split: 100 * benchmark.means(split) for split in SPLITS}
        self.seeds = {split: 100 * benchmark.array(split)[:, :, -1] for split in SPLITS}
        self.kept = [{*each.connections} for each in benchmark.values()]
        self.macs = benchmark.costs("macs")

    def place(self, connections: set[str]) -> int:
        """The number of the topology with these connections."""
        return self.kept.index(connections)

    def named(self, name: str) -> int:
        """The number of a topology that has a name."""
        return self.names.index(self.benchmark.of(name).name)

    def both(self, place: int) -> str:
        """The scores of a topology."""
        return told(self.means[split][place] for split in self.splits)


def told(values: Iterator[float]) -> str:
    """Of the held-out drive, and in brackets of val."""
    first, second = values
    return f"{first:.1f} ({second:.1f})"


def standings(table: Table) -> Iterator[str]:
    """The place of each name among all with no more MACs, and by each seed among all."""
    for name in TOPOLOGIES:
        place = table.named(name)
        cheap = table.macs <= table.macs[place]
        among = int(cheap[:place].sum())  # its number among those
        ranks = [ranks_of(table.means[split][cheap])[among] for split in table.splits]
        seeds = [ranks_of(each)[place] for s in table.splits for each in table.seeds[s].T]
        yield f"{name}: {ranks[0]} ({ranks[1]}) of {cheap.sum()} with no more MACs"
        yield f"{name} by single seeds: {seeds[:2]} ({seeds[2:]}) of all"


def additions(table: Table) -> Iterator[str]:
    """What U-Net and FRRN gain by connections that they lack."""
    for name in ("unet", "frrn"):
        place = table.named(name)
        for added in ADDITIONS:
            more = table.kept[place] | {*added}
            if more in table.kept and more != table.kept[place]:
                other = table.place(more)
                gained = (table.means[s][other] - table.means[s][place] for s in table.splits)
                yield f"{name} with {' and '.join(added)}: {told(gained)} more"


def at_less_cost(table: Table) -> Iterator[str]:
    """Networks of three quarters of the full grid's MACs, and the best of them by one seed."""
    full = table.named("gridnet")
    alike = np.flatnonzero(np.abs(table.macs / 1e6 - 284) < 1)
    yield f"full grid: {table.both(full)}, {table.macs[full] / 1e6:.0f} MMAC"
    medians = (float(np.median(table.means[split][alike])) for split in table.splits)
    yield f"median of {len(alike)} networks of 284 MMAC: {told(medians)}"
    for split in table.splits:
        for seed, less in enumerate(chosen_by_a_seed(table.seeds[split], alike, full)):
            which = f"the best of them on {split} by seed {seed}"
            yield f"{which}, less the full grid by the other: {less:+.1f}"
    unet, scores = table.named("unet"), table.seeds["holdout"]
    cheap = np.flatnonzero(table.macs <= table.macs[unet])
    for seed, more in enumerate(chosen_by_a_seed(scores, cheap, unet)):
        which = f"the best with no more MACs than U-Net by seed {seed}"
        yield f"{which}, less U-Net by the other: {more:+.1f}"
    bare = table.benchmark.of(table.benchmark.spec.but(topology={"drop": [FULL_RESOLUTION]}))
    place = table.names.index(bare.name)
    scores, macs = table.both(place), table.macs[place] / 1e6
    yield f"full grid without {FULL_RESOLUTION}: {scores}, {macs:.0f} MMAC"


def chosen_by_a_seed(scores: Scores, among: NDArray[np.intp], other: int) -> Iterator[float]:
    """By how much the best by each seed is above another topology, by the other seed."""
    for seed in (0, 1):
        best = among[scores[among, seed].argmax()]
        yield float(scores[best, 1 - seed] - scores[other, 1 - seed])


def orders(table: Table) -> Iterator[str]:
    """What one cost tells among networks that are about equal in another."""
    pairs: tuple[tuple[CostName, CostName], ...] = (("parameters", "macs"), ("macs", "parameters"))
    for split in table.splits:
        for cost, equal in pairs:
            values = np.stack([table.benchmark.costs(cost)] * 2, axis=1)
            alike = near(table.benchmark.costs(equal))
            found = estimated(*mean_agreement(values, table.seeds[split], alike))
            yield f"τ of {cost} on {split}, {equal} within 10 %: {found.told(2)}"


def spreads(table: Table) -> Iterator[str]:
    """How far topologies and seeds lie apart, of all and of those with a lowest stream."""
    lowest = np.array([LOWEST in each for each in table.kept])
    for what, chosen in (("all", lowest | True), (f"the {lowest.sum()} with {LOWEST}", lowest)):
        found = [spread(table.seeds[split][chosen]) for split in table.splits]
        apart, by_seed = (told(getattr(f, w) for f in found) for w in ("topologies", "seeds"))
        yield f"standard deviation of {what}: {apart}, of seeds {by_seed}"
        shares = [f.true_variance / (f.true_variance + f.seeds**2) for f in found]
        yield f"their share in the variance of single scores: {shares[0]:.2f} ({shares[1]:.2f})"
    for number, epoch in enumerate(table.benchmark.epochs):
        curves = (table.benchmark.array(s)[:, :, number].mean(axis=1) for s in table.splits)
        apart = told(100 * each.std(ddof=1) for each in curves)
        yield f"standard deviation of all at epoch {epoch}: {apart}"
    for cost in ("macs", "parameters"):
        values = table.benchmark.costs(cost)
        less = values[lowest].mean() - values[~lowest].mean()
        yield f"{cost} without {LOWEST}: {less:,.0f} less"
    first, second = (table.seeds[s] - table.seeds[s].mean(axis=0) for s in table.splits)
    across = np.mean([np.corrcoef(first[:, n], second[:, 1 - n])[0, 1] for n in (0, 1)])
    alone = [np.corrcoef(*each.T)[0, 1] for each in (first, second)]
    without = across / np.sqrt(np.prod(alone))
    yield f"correlation of both splits without the luck of seeds: {without:.2f}"


def third_seeds(table: Table) -> Iterator[str]:
    """What a third seed says of the topologies that have it, beside the other two."""
    scores, last = table.benchmark.scores, table.benchmark.epochs[-1]
    again = [n for n, name in enumerate(table.names) if (name, "val", AGAIN_SEED, last) in scores]
    for split in table.splits:
        third = np.array([scores[table.names[n], split, AGAIN_SEED, last] for n in again])
        known, means = table.seeds[split][again], table.means[split][again]
        single = estimated(*mean_agreement(known, np.stack([third, third], axis=1)))
        which = f"of {len(again)} topologies on {split}"
        yield f"τ of the third seed and one other {which}: {single.told(2)}"
        yield f"τ of the third seed and the mean of both {which}: {agreement(means, third).told(2)}"
        highest = ranks_of(third)[int(means.argmax())]
        yield f"the highest mean of both is number {highest} by the third seed, {which}"


def main() -> None:
    table = Table(topology_benchmark())
    for part in (standings, additions, at_less_cost, orders, spreads, third_seeds):
        print(f"\n{(part.__doc__ or '').splitlines()[0]}")
        for line in part(table):
            print(f"  {line}")


if __name__ == "__main__":
    main()
