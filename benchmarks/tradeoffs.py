"""What pruning saves where scores are held against costs, by simulated searches of the table.

    python -m benchmarks.tradeoffs [--searches 200] [--only nsga2] [--pruners none "none, costs"]

Each search holds the mean IoU of val, or of another `--split`, against MACs, on the topologies that
the table has, by the curves of one of its seeds. A search without pruning trains 30 candidates; one
with it, under the same sampler and seed, begins as many as there are. A row says which share of the
training steps of the first the second had taken when its front had the same hypervolume (median and
quartiles over the searches), and in how many it never had. `none` is the first search itself, the
last of whose trainings may have added nothing. `costs` is with `prefilter: costs`. `alike` is a
pruner among candidates of about equal cost (quarters of the space) instead of gridgen's rules,
`later` has its only rung at the second validation.

A second table says what can be known at a validation: the correlation of its scores with those at
the end, and with what of these MACs do not tell; and the share of a perfect choice, which stops
there all that are not on the front of 30.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from rich.console import Console
from rich.table import Table

from gridgen.study import Study
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.driver.simulating import simulated
from gridgen.study.fronts import front_of, hypervolume
from gridgen.study.proposals.proposals import Proposals
from gridgen.study.rungs import Rungs, Standing
from gridgen.study.trials import Candidate
from gridgen.tabular import TopologyBenchmark, topology_benchmark
from gridgen.tabular.table import IMAGE, SPEC
from gridgen.tabular.trainings import SPLITS, ScoredSplit

UNPRUNED = 30
QUARTERS = 4
PRUNERS = (
    *("none", "none, costs", "halving, costs"),
    *("halving", "halving, later", "halving, alike"),
    *("hyperband", "hyperband, alike", "median", "median, alike"),
)


class Alike(Rungs):
    """Rungs where the best are those of their quarter of the costs."""

    bounds: np.ndarray

    def _best(self, key, least):
        quarters: dict[int, Standing] = {}
        for each in self._standings[key]:
            place = int(np.searchsorted(self.bounds, self.costs[each[1]][0]))
            quarters.setdefault(place, []).append(each)
        for standing in quarters.values():
            yield from (n for _, n in standing[: max(least, len(standing) // self.reduction)])


def study_of(benchmark: TopologyBenchmark) -> Study:
    """A study whose space are the topologies that the table has."""
    keep = [{"keep": [*each.connections]} for each in benchmark.values()]
    fields = {name: value for name, value in SPEC.plain().items() if name != "topology"}
    return Study(
        data="shapes",
        spec=fields,
        space={"topology": keep},
        against=["macs"],
        budget={"size": list(IMAGE)},
        recipe={"extends": "demo", "epochs": benchmark.epochs[-1], "validate_every": 10},
        baselines=[],
    )


def curves(
    benchmark: TopologyBenchmark, split: ScoredSplit, seed: int, candidate: Candidate
) -> dict[int, float]:
    return dict(benchmark.of(candidate.network).trainings[seed].curves[split])


def proposals(study: Study, drawing: Drawing, bounds: np.ndarray, how: str = "") -> Proposals:
    if how == "costs":
        study = study.but(prefilter=how)
    found, alike = Proposals(study, drawing), how == "alike"
    if how == "later" and found.rungs is not None:
        found.rungs = Rungs(found.rungs.reduction, ((2 * study.training.validate_every,),))
    elif alike and found.rungs is not None:
        found.rungs = Alike(found.rungs.reduction, found.rungs.ladders)
        found.rungs.bounds = bounds
    elif alike:

        def alike_in_cost(*places: int) -> bool:
            costs = [found.seen._costs[place][0] for place in places]
            return len({int(np.searchsorted(bounds, each)) for each in costs}) == 1

        found.seen._as_cheap = alike_in_cost
    return found


def volumes(
    found: Proposals, begun: int, curve_of, worst: tuple[float, float]
) -> Iterator[tuple[int, float]]:
    """Epochs and hypervolume after each training that finished."""
    points: list[tuple[float, float]] = []
    for record, epochs in simulated(found, begun, curve_of):
        if record.state == "finished":
            points.append((record.score, -float(record.candidate.costs["macs"])))
            points = [points[place] for place in front_of(points)]
            yield epochs, hypervolume(points, worst)


def shares(
    benchmark: TopologyBenchmark,
    split: ScoredSplit,
    sampler: str,
    searches: int,
    pruners: Sequence[str],
) -> dict[str, list[float]]:
    study = study_of(benchmark).but(sampler=sampler)
    drawing, found = Drawing(study), dict[str, list[float]]()
    macs, scores = benchmark.costs("macs"), benchmark.array(split)[:, :, -1]
    bounds = np.quantile(np.log(macs), np.arange(1, QUARTERS) / QUARTERS)
    for number in range(searches):
        seed = number % scores.shape[1]
        worst = (float(scores[:, seed].min()), -1.01 * float(macs.max()))
        curve_of = partial(curves, benchmark, split, seed)
        plain = proposals(study.but(seed=number), drawing, bounds)
        *_, (steps, goal) = volumes(plain, UNPRUNED, curve_of, worst)
        for name in pruners:
            pruner, _, how = name.partition(", ")
            pruned = study.but(seed=number, pruner=pruner)
            searching = proposals(pruned, drawing, bounds, how)
            reached = volumes(searching, len(benchmark), curve_of, worst)
            first = (epochs / steps for epochs, volume in reached if volume >= goal - 1e-9)
            found.setdefault(name, []).append(next(first, np.inf))
        if sys.stderr.isatty():
            print(f"\r{sampler}: {number + 1} of {searches}", end="", file=sys.stderr)
    return found


def knowable(benchmark: TopologyBenchmark, split: ScoredSplit) -> Table:
    """What the scores of each validation say of those at the end, the mean over the seeds."""
    table = Table("epoch", "correlation", "beyond MACs", "share of a perfect choice")
    macs = np.log(benchmark.costs("macs"))
    for place, epoch in enumerate(benchmark.epochs[:-1]):
        told, trained = [], epoch / benchmark.epochs[-1]
        for scores in np.moveaxis(benchmark.array(split), 1, 0):
            early, end = scores[:, place], scores[:, -1]
            whole, beyond = (early, end), (unexplained(early, macs), unexplained(end, macs))
            share = trained + (1 - trained) * on_the_front(end, macs)
            told.append((*(np.corrcoef(*pair)[0, 1] for pair in (whole, beyond)), share))
        table.add_row(str(epoch), *(f"{each:.2f}" for each in np.mean(told, axis=0)))
    return table


def unexplained(scores: np.ndarray, macs: np.ndarray) -> np.ndarray:
    """What is left of the scores where a straight line over the MACs is taken from them."""
    return scores - np.polyval(np.polyfit(macs, scores, 1), macs)


def on_the_front(scores: np.ndarray, macs: np.ndarray) -> float:
    """Which share of the candidates of a search is on its front, the mean over 200 searches."""
    random, shares_found = np.random.default_rng(0), []
    for _ in range(200):
        some = random.choice(len(macs), UNPRUNED, replace=False)
        points = [*zip(scores[some].tolist(), (-macs[some]).tolist(), strict=True)]
        shares_found.append(len(front_of(points)) / UNPRUNED)
    return float(np.mean(shares_found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--only", help="A sampler.")
    parser.add_argument("--split", choices=SPLITS, default="val")
    parser.add_argument("--pruners", nargs="+", default=PRUNERS, help="Rows of the table.")
    options = parser.parse_args()
    benchmark = topology_benchmark()
    table = Table("sampler", "pruner", "median", "quartiles", "never")
    for sampler in (options.only,) if options.only else ("tpe", "nsga2"):
        asked = options.split, sampler, options.searches, options.pruners
        found = shares(benchmark, *asked)
        for pruner, each in found.items():
            low, middle, high = np.quantile(each, [0.25, 0.5, 0.75], method="nearest")
            never = np.isinf(each).mean()
            row = (f"{middle:.2f}", f"{low:.2f} to {high:.2f}", f"{100 * never:.0f} %")
            table.add_row(sampler, pruner, *row)
    print(f"\n{len(benchmark)} topologies, {options.searches} searches", file=sys.stderr)
    Console().print(table)
    Console().print(knowable(benchmark, options.split))


if __name__ == "__main__":
    main()
