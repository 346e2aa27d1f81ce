"""Simulate searches of the table, and write gridgen/tabular/simulations.csv.

    python -m benchmarks.topologies.simulate [--searches 1000] [--only tpe]

A row for each method and number of trainings: mean regret over the searches, that of those that are
told seed 0 and seed 1, and the share of searches that name one of the best 2 %. Minutes for most
methods; gp, which fits a Gaussian process for each proposal, takes hours. With --only, the rows of
other samplers stay as they are, unless they are of another table.
"""

import argparse
import sys
import time
from collections.abc import Iterator

from gridgen.cli.terminal import progress
from gridgen.files import write_file
from gridgen.names import csv_text
from gridgen.tabular import TopologyBenchmark, topology_benchmark
from gridgen.tabular.regret import SearchMethod
from gridgen.tabular.simulation import simulate_searches
from gridgen.tabular.table import SIMULATIONS
from gridgen.tabular.trainings import read_rows

METHODS = (
    SearchMethod("random"),
    SearchMethod("random", encoding="connections"),
    SearchMethod("random", pruner="halving"),
    SearchMethod("random", pruner="hyperband"),
    SearchMethod("random", prefilter="costs"),
    SearchMethod("nsga2"),
    SearchMethod("nsga2", encoding="connections"),
    SearchMethod("tpe"),
    SearchMethod("tpe", encoding="connections"),
    SearchMethod("tpe", prefilter="costs"),
    SearchMethod("gp"),
    SearchMethod("gp", encoding="connections"),
)
TRAININGS = (5, 10, 15, 20, 30, 40, 50, 60, 80, 100)
MOST = {"gp": 60}
"""Trials of a search with a sampler that is too slow for a hundred."""
COLUMNS = (*SearchMethod._fields, "judged_by", "digest", "searches", "trainings")
VALUES = ("regret", "regret_0", "regret_1", "found")


def rows(benchmark: TopologyBenchmark, method: SearchMethod, searches: int) -> Iterator[list[str]]:
    label = ", ".join(method)
    # At random all are trained in the end; where most are stopped early, more can be begun.
    trials = len(benchmark) if method.at_random else MOST.get(method.sampler, max(TRAININGS))
    with progress(label) as on_progress:
        searched = simulate_searches(
            benchmark,
            **method._asdict(),
            searches=searches,
            trials=min(trials, len(benchmark)),
            on_progress=on_progress,
        )
    for judged_by in ("val", "holdout"):
        found = searched.judged_by(benchmark, judged_by)
        for trainings in (*TRAININGS, len(benchmark)):
            if trainings <= found.spent[:, -1].min():
                regret = found.regret_after(trainings)
                reached = found.in_the_top_after(trainings).mean()
                # The seeds take turns to be told.
                values = regret.mean(), regret[::2].mean(), regret[1::2].mean(), reached
                told = (f"{value:.6f}" for value in values)
                numbers = map(str, (searches, trainings))
                yield [*method, judged_by, benchmark.digest, *numbers, *told]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=1000)
    parser.add_argument(
        "--only", choices=sorted({each.sampler for each in METHODS}), help="A sampler."
    )
    options = parser.parse_args()
    if options.searches < 2 or options.searches % 2:
        parser.error("--searches: give an even number, as the seeds take turns to be told")
    benchmark, table = topology_benchmark(), {}
    if SIMULATIONS.is_file():
        for row in read_rows(SIMULATIONS):
            if row.get("digest") == benchmark.digest:
                method = SearchMethod.of(row)
                table.setdefault(method, []).append([row[name] for name in (*COLUMNS, *VALUES)])
    for method in METHODS:
        if options.only in (None, method.sampler):
            begun = time.monotonic()
            table[method] = [*rows(benchmark, method, options.searches)]
            print(f"{', '.join(method)}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
            ordered = [row for each in METHODS for row in table.get(each, [])]
            write_file(SIMULATIONS, csv_text([(*COLUMNS, *VALUES), *ordered]))


if __name__ == "__main__":
    main()
