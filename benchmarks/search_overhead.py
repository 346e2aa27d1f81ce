"""What a search costs beside its trainings: the same trainings one after another, without it.

    python -m benchmarks.search_overhead [--epochs 8] [--rounds 1]

A search over four networks, trained on one thread for about half a minute each, in children of a
fork server; and a Python program that calls `gridgen.train` for the same networks, one after
another. CPU seconds of the whole process tree, the least of the rounds; both load torch once.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from gridgen import build_grid, load_recipe, train
from gridgen.spec import GridSpec

BASES = (8, 10, 12, 14)
STUDY = f"""\
data: shapes
spec: {{classes: 3, streams: 3, columns: 2+2}}
space: {{base_channels: {list(BASES)}}}
sampler: grid
baselines: []
recipe: {{extends: demo, epochs: EPOCHS, validate_every: 2}}
"""


def by_search(folder: Path, epochs: int) -> list[str]:
    (folder / "study.yaml").write_text(STUDY.replace("EPOCHS", str(epochs)), encoding="utf-8")
    command = [sys.executable, "-m", "gridgen", "search", str(folder / "study.yaml")]
    return [*command, "--trials", str(len(BASES)), "-o", str(folder / "search")]


def one_by_one(folder: Path, epochs: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.search_overhead", "--alone", str(folder), str(epochs)]


WAYS = {"a search": by_search, "gridgen.train alone": one_by_one}


def alone(folder: Path, epochs: int) -> None:
    recipe = load_recipe("demo", epochs=epochs, validate_every=2)
    for base in BASES:
        spec = GridSpec(classes=3, streams=3, columns="2+2", base_channels=base)
        train(build_grid(spec), "shapes", recipe, folder=folder / str(base), device="cpu")


def cpu_seconds(way: str, epochs: int) -> float:
    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    with tempfile.TemporaryDirectory() as folder:
        before = used()
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = WAYS[way](Path(folder), epochs)
        subprocess.run(command, env=environment, check=True, capture_output=True)
        return used() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        folder, epochs = options.alone
        alone(Path(folder), int(epochs))
        return
    rounds = [
        {way: cpu_seconds(way, options.epochs) for way in WAYS} for _ in range(options.rounds)
    ]
    least = {way: min(each[way] for each in rounds) for way in WAYS}
    print(f"| {len(BASES)} trainings | CPU s | ratio |\n|---|---:|---:|")
    for way, seconds in least.items():
        print(f"| {way} | {seconds:.1f} | {seconds / least['gridgen.train alone']:.3f} |")


if __name__ == "__main__":
    main()
