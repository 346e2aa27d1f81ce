"""Train random rows of the table again, and compare: the same bits on a machine of the same kind.

    python -m benchmarks.topologies.retrain --data data/camvid-third [--rows 5] [--seed 0]

Exits with 1 where a row's own machine gives other weights, or another machine a score beyond the
range of the table's seeds, widened by that range on both sides.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from random import Random

import torch

from benchmarks.topologies.train import STUDY, machine, weights_digest
from gridgen import Study, build_grid, topology_benchmark, train
from gridgen.tabular import BenchmarkedTopology, BenchmarkTraining


def verdict(entry: BenchmarkedTopology, row: BenchmarkTraining, score: float, digest: str) -> str:
    """What a training that was run again says of its row; it begins with "not" if it is wrong."""
    if row.machine == machine():
        return "the same bits" if digest == row.weights else "not the same bits"
    known = [each.score() for each in entry.trainings]
    room = max(known) - min(known)
    within = min(known) - room <= score <= max(known) + room
    return "another machine, within the seeds" if within else "not within the seeds"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rows", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    benchmark, study = topology_benchmark(), Study.load(STUDY)
    rows, wrong = Random(options.seed).sample([*benchmark.trainings], options.rows), 0
    print("| topology | seed | val in the table | again | |\n|---|---:|---:|---:|---|")
    for row in rows:
        entry = benchmark[row.topology]
        with tempfile.TemporaryDirectory() as place:
            run = train(
                build_grid(entry.spec),
                options.data,
                study.training,
                folder=Path(place) / "run",
                holdout=study.holdout,
                seed=row.seed,
            )
            score, digest = run.rows()[-1]["val_iou"], weights_digest(run.weights)
        said = verdict(entry, row, score, digest)
        wrong += said.startswith("not")
        print(
            f"| {row.topology} | {row.seed} | {row.score():.4f} | {score:.4f} | {said} |",
            flush=True,
        )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
