"""What a search in a cluster of one machine costs beside `--parallel`: wall time of both.

    python -m benchmarks.ray_overhead [--epochs 1] [--trials 8] [--rounds 1]

The same study twice, two trainings of about half a minute at once, each on one thread: in children
of the search, and in those of a Ray cluster that is there already, with the start-up of both. The
least of the rounds; both are taken in turn.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.study.engine.cluster import local_cluster

STUDY = """\
data: shapes
spec: {classes: 3, streams: 3, columns: 2+2}
space: {base_channels: {low: 8, high: 15, step: 1}}
sampler: random
reproducible: true
baselines: []
recipe: {extends: demo, epochs: EPOCHS, validate_every: 1}
"""


def seconds(options: list[str], epochs: int, trials: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder, "study.yaml")
        study.write_text(STUDY.replace("EPOCHS", str(epochs)), encoding="utf-8")
        command = [sys.executable, "-m", "gridgen", "search", str(study), "-o", f"{folder}/search"]
        begun = time.monotonic()
        subprocess.run(
            [*command, "--trials", str(trials), "--device", "cpu", "--parallel", "2", *options],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=True,
            capture_output=True,
        )
        return time.monotonic() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with local_cluster(nodes=0, head_cpus=2) as cluster:
        ways = {"--parallel 2": [], "--engine ray": ["--engine", "ray", "--address"]}
        ways["--engine ray"].append(cluster.address)
        rounds = [
            {way: seconds(more, options.epochs, options.trials) for way, more in ways.items()}
            for _ in range(options.rounds)
        ]
    least = {way: min(each[way] for each in rounds) for way in ways}
    print(f"| {options.trials} trainings, two at once | s | ratio |\n|---|---:|---:|")
    for way, taken in least.items():
        print(f"| {way} | {taken:.0f} | {taken / least['--parallel 2']:.3f} |")


if __name__ == "__main__":
    main()
