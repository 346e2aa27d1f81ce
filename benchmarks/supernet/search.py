"""Searching by a supernet on the topology benchmark: the steps of training until one of the
best 2 % is found, beside searching at random.

    python -m benchmarks.supernet.search RUN [RUN ...]

Each RUN is a supernet of `benchmarks.supernet.variants`. Networks are trained alone in the order in
which the supernet ranks them on val, until one of the best 2 % of the table is among them, by the
mean of its seeds; judged on val and on what is held out, which the search does not see. All steps
of the supernet count, each as often as networks were trained in it. Beside it stands how likely a
random order would have found one with as few networks trained alone, and below it the orders that
cost no training: the largest networks first.
"""

import argparse
from collections.abc import Iterator
from math import comb

import numpy as np

from gridgen import (
    Run,
    TopologyBenchmark,
    build_grid,
    score_subnetworks,
    topology_benchmark,
)
from gridgen.supernet.alone import require_task
from gridgen.tabular.regret import best_number
from gridgen.tabular.trainings import SPLITS

ALONE = 50 * 67
"""Steps of one training of the table: epochs, and batches of 4 of 266 images."""


def steps_of(run: Run) -> int:
    """Steps of a supernet, each as often as networks were trained in it."""
    supernet = run.recipe.supernet
    assert supernet is not None
    return int(run.rows()[-1]["step"]) * supernet.networks_a_step


def orders(
    folders: list[str], benchmark: TopologyBenchmark
) -> Iterator[tuple[str, list[float], int]]:
    """By what networks are ranked: a name, a value for each, and the steps that it took."""
    grids = [build_grid(entry.spec) for entry in benchmark.values()]
    for folder in folders:
        run = Run.open(folder)
        require_task(run)
        found = score_subnetworks(run, grids)
        yield run.folder.name, [each.scores["val_iou"] for each in found], steps_of(run)
    for cost in ("parameters", "macs"):
        yield f"most {cost} first", benchmark.costs(cost).tolist(), 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    given = parser.parse_args()
    benchmark = topology_benchmark()
    many = best_number(len(benchmark))
    # The first of `many` among so many networks in a random order, on average.
    at_random = (len(benchmark) + 1) / (many + 1) * ALONE
    print(f"{len(benchmark)} topologies; at random {at_random:,.0f} steps for one of {many}")
    titles = "trained alone | steps, its own included | share of random's | as soon at random"
    print(f"| supernet | judged on | {titles} |\n|---|---|---:|---:|---:|---:|")
    for name, values, own in orders(given.runs, benchmark):
        ranked = np.argsort([-each for each in values], kind="stable")
        for split in SPLITS:
            best = set(np.argsort(-benchmark.means(split))[:many].tolist())
            alone = next(n for n, place in enumerate(ranked.tolist(), 1) if place in best)
            total = own + alone * ALONE
            others = len(benchmark) - many
            chance = 1 - comb(others, alone) / comb(len(benchmark), alone)
            told = f"{alone} | {total:,} | {total / at_random:.2f} | {chance:.2f}"
            print(f"| {name} | {split} | {told} |")


if __name__ == "__main__":
    main()
