"""Speed and memory of the code of a commit against that of the working tree, in alternating runs.

    python -m benchmarks.old_and_new COMMIT [--rounds 5] [--only WORD]

Every figure is taken in a fresh process with one thread, old and new code in turn, so that a noisy
machine disturbs both alike; `--only data` takes those whose name has that word. Printed are the
least of the rounds and the ratio new / old; below 1 the new code is better.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.progress import Progress

from benchmarks.unchanged import ROOT, checked_out

PREPARE = """
import json, resource, sys, time
def least(function, times):
    taken = []
    for _ in range(times):
        start = time.perf_counter(); function(); taken.append(time.perf_counter() - start)
    return min(taken)
def least_of_new(function, make):
    # On grids of their own, since results are remembered; the first call imports what it needs.
    return min(least(lambda: function(grid), 1) for grid in [make() for _ in range(11)][1:])
def resident():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
from gridgen import GridSpec, build_grid
spec = GridSpec(streams=5, columns="3+3", base_channels=16, classes=19)
"""
TORCH = """
import torch
from gridgen import GridNetwork
network = GridNetwork(build_grid(spec))
images = torch.rand(1, 3, 192, 192).to(memory_format=torch.channels_last)
"""
PROGRAMS = {
    "count": """
from gridgen import count
def build_and_count(): count(build_grid(spec), (400, 400))
build_and_count()
told = {"build and count, ms": 1000 * least(build_and_count, 30)}
""",
    "memory": """
try: from gridgen import count_memory
except ImportError: from gridgen.analysis.memory import memory as count_memory
seconds = least_of_new(lambda grid: count_memory(grid, (400, 400)), lambda: build_grid(spec))
told = {"memory of the paper's network, ms": 1000 * seconds}
""",
    "feasible": """
from benchmarks.feasible import BUDGETS, SHARED, SPACE
from gridgen.space import Budget, feasible
start = time.perf_counter()
feasible(SHARED, SPACE, Budget(**BUDGETS["the same, receptive field"]))
seconds = time.perf_counter() - start
told = {"feasible set of 1,317,600 specs, s": seconds, "its peak, MB": resident()}
""",
    "receptive field": """
from gridgen import receptive_field
large = GridSpec(streams=8, columns="10+10", base_channels=4, classes=2)
told = {
    "receptive field, the paper's network, ms":
        1000 * least_of_new(receptive_field, lambda: build_grid(spec)),
    "receptive field, 8 streams, 20 columns, ms":
        1000 * least_of_new(receptive_field, lambda: build_grid(large)),
    "its peak, MB ": resident(),
}
""",
    "module, forward": TORCH
    + """
network.eval()
with torch.no_grad():
    network(images); seconds = least(lambda: network(images), 5)
told = {"module forward, s": seconds, "its peak, MB  ": resident()}
""",
    "module, training": TORCH
    + """
def step(): network(images).sum().backward()
step()
told = {"module forward and backward, s": least(step, 3), "its peak, MB   ": resident()}
""",
    "data, loading": """
from gridgen.data import load_dataset
from gridgen.training import load_recipe
from gridgen.training.loop.batches import Batches
batches = Batches(load_dataset(f"{sys.argv[1]}/large"), load_recipe("paper"), 0)
batches[0]
start = time.process_time()
for step in range(1, 6): batches[step]
told = {"a sample of the paper's crop, CPU ms": 1000 * (time.process_time() - start) / 20}
""",
    "data check": """
from gridgen.data.check import check_data
check_data(f"{sys.argv[1]}/small")
told = {"data check of 4,000 images, with imports, CPU s": time.process_time()}
""",
}
COMMANDS = {
    "gridgen --help, s": ["--help"],
    "gridgen list units, s": ["list", "units"],
    "gridgen count, s": ["count", str(ROOT / "specs" / "gridnet.yaml")],
    "gridgen render, s": ["render", str(ROOT / "specs" / "gridnet.yaml"), "-o", "{folder}/a.svg"],
}


def environment(code: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(code), "OMP_NUM_THREADS": "1"}


def measured(code: Path, program: str, folder: str) -> dict[str, float]:
    """What `program` says in a fresh process that imports the package in `code`."""
    text = f"{PREPARE}{program}\nprint(json.dumps(told))"
    done = subprocess.run(
        [sys.executable, "-c", text, folder],
        cwd=code,
        env=environment(code),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def started(code: Path, arguments: list[str], folder: str) -> float:
    """Seconds of one command as a whole process."""
    words = [argument.format(folder=folder) for argument in arguments]
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "gridgen", *words],
        cwd=code,
        env=environment(code),
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - start


def write_data(folder: Path) -> None:
    """Pictures of 2048x1024 as the loader's benchmark has them, and 4,000 of 64x64."""
    # Not above: it imports torch, which a start must not.
    from benchmarks.loader import write_dataset, write_small

    write_dataset(folder / "large", 8)
    write_small(folder / "small", 4000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commit", help="commit, branch or tag to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", metavar="WORD", help="in the names of figures")
    options = parser.parse_args()
    programs, commands = (
        {name: what for name, what in figures.items() if options.only in name}
        for figures in (PROGRAMS, COMMANDS)
    )
    taken: dict[str, dict[str, list[float]]] = {"old": {}, "new": {}}
    with (
        checked_out(options.commit) as old,
        tempfile.TemporaryDirectory() as folder,
        Progress(transient=True) as bar,
    ):
        codes = {"old": old, "new": ROOT}
        task = bar.add_task("measuring", total=options.rounds * (len(programs) + len(commands)))
        if any("data" in name for name in programs):
            write_data(Path(folder))
        for _ in range(options.rounds):
            for program in programs.values():
                for name, code in codes.items():
                    for what, value in measured(code, program, folder).items():
                        taken[name].setdefault(what, []).append(value)
                bar.advance(task)
            for what, arguments in commands.items():
                for name, code in codes.items():
                    taken[name].setdefault(what, []).append(started(code, arguments, folder))
                bar.advance(task)
    print("| figure | old, least | new, least | new / old, least | new / old, median |")
    print("|---|---:|---:|---:|---:|")
    for what, before in taken["old"].items():
        after = taken["new"][what]
        median = statistics.median(after) / statistics.median(before)
        cells = [f"{min(before):.3f}", f"{min(after):.3f}", f"{min(after) / min(before):.2f}"]
        print(f"| {what.strip()} | {' | '.join(cells)} | {median:.2f} |")


if __name__ == "__main__":
    main()
