"""Train random rows of the table again, and compare: the same bits on a machine of the same kind.

    python -m benchmarks.topologies.retrain --data data/camvid-third [--rows 5] [--seed 0]

Exits with 1 where a row's own machine gives other weights, or where another machine gives a score
that lies farther from that of the row than two seeds do at 95 %, corrected for the number of rows
and splits.
"""

import argparse
import sys
import tempfile
from math import sqrt
from pathlib import Path
from random import Random

from benchmarks.topologies.train import STUDY, taken, use_one_thread
from gridgen import GridSpec, Study, build_grid, topology_benchmark, train
from gridgen.study.report.statistics import LEVEL
from gridgen.study.report.student import critical
from gridgen.tabular import BenchmarkTraining, TopologyBenchmark
from gridgen.tabular.ranking import spread
from gridgen.tabular.trainings import SPLITS, ScoredSplit

PRECISION = 1e-6
Room = dict[ScoredSplit, float]


def verdict(row: BenchmarkTraining, again: BenchmarkTraining, room: Room) -> tuple[bool, str]:
    """Whether a training that was run again confirms its row, and in words."""
    if row.machine == again.machine:
        if row.weights != again.weights:
            return False, "not the same bits"
        same = same_scores(row, again)
        return same, "the same bits" if same else "not the same scores"
    near = all(abs(row.score(split) - again.score(split)) <= room[split] for split in SPLITS)
    return near, "another machine, as near as seeds" if near else "not as near as seeds"


def same_scores(row: BenchmarkTraining, again: BenchmarkTraining) -> bool:
    """Whether all scores are equal, as far as the table has digits."""
    return all(
        abs(score - again.curves[split][epoch]) < PRECISION
        for split in SPLITS
        for epoch, score in row.curves[split].items()
    )


def trained_again(
    row: BenchmarkTraining, spec: GridSpec, study: Study, data: str
) -> BenchmarkTraining:
    with tempfile.TemporaryDirectory() as place:
        run = train(
            build_grid(spec),
            data,
            study.training,
            folder=Path(place) / "run",
            holdout=study.holdout,
            seed=row.seed,
        )
        return taken(run, row.topology, row.seed, seconds=0.0)


def room_of(benchmark: TopologyBenchmark, rows: int) -> Room:
    """How far two trainings of one topology may lie apart where only rounding differs."""
    sure, (topologies, seeds, _) = 1 - (1 - LEVEL) / (rows * len(SPLITS)), benchmark.array().shape
    factor = critical(sure, (topologies - 1) * (seeds - 1)) * sqrt(2)
    return {split: factor * spread(benchmark.array(split)[:, :, -1]).seeds for split in SPLITS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rows", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    use_one_thread()
    benchmark, study = topology_benchmark(), Study.load(STUDY)
    rows, wrong = Random(options.seed).sample([*benchmark.trainings], options.rows), 0
    room = room_of(benchmark, options.rows)
    print("| topology | seed | val in the table | again | |\n|---|---:|---:|---:|---|")
    for row in rows:
        again = trained_again(row, benchmark[row.topology].spec, study, options.data)
        confirmed, said = verdict(row, again, room)
        wrong += not confirmed
        scores = f"{row.score():.4f} | {again.score():.4f}"
        print(f"| {row.topology} | {row.seed} | {scores} | {said} |", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
