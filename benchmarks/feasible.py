"""Every spec of a search space held against a budget: specs per second, and memory.

python -m benchmarks.feasible [--against FOLDER]

1,317,600 specs of up to 48 maps: 5 numbers of streams, 16 of columns, 61 widths, 5 topologies, all
units, vertical identities or none. Each row is a fresh process; its peak holds Python, numpy and
pydantic too. Limits on memory look at some grids one by one (last column), the others at none.
The last row is what it replaces: grids built and counted one by one, on a sample.

A second table holds other spaces against one budget, in seconds of CPU, which other programs do not
change. `--against` the folder of another checkout, it is that table alone, of both in turn.
"""

import argparse
import json
import multiprocessing
import random
import resource
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

from gridgen import GridSpec, build_grid
from gridgen.grid import TOPOLOGIES, UNITS
from gridgen.space import Budget, Range, feasible
from gridgen.spec.network import merged

SHARED = {"classes": 19}
SPACE = {
    "streams": (2, 3, 4, 5, 6),
    "columns": tuple(f"{sub}+{up}" for sub in range(1, 5) for up in range(1, 5)),
    "base_channels": Range(low=8, high=68),
    "topology": tuple(TOPOLOGIES),
    "residual.vertical": (False, True),
    **{f"units.{kind}": tuple(units) for kind, units in UNITS.items()},
}
FEW = {"parameters": "10M", "activations": "300M", "macs": "30GMAC"}
SEEING = FEW | {"min_receptive_field": 200}
BUDGETS: dict[str, dict[str, Any]] = {
    "parameters": {"parameters": "10M"},
    "parameters, activations, MACs": FEW,
    "the same, receptive field": SEEING,
    "the same, memory": SEEING
    | {"parameters": "500k", "batch": 4, "training_memory": "2GB", "inference_memory": "256MiB"},
}
SAMPLE = 300
STREAMS = (2, 3, 4, 5, 6)
ORDERS = tuple(list(order) for order in product(("sub", "up"), repeat=7))
SIDES = tuple([width] * streams for streams in STREAMS for width in range(1, 80))
SPACES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the same": (SHARED, SPACE),
    "81 columns, 2 fusions": (
        SHARED,
        SPACE
        | {
            "columns": tuple(f"{sub}+{up}" for sub in range(1, 10) for up in range(1, 10)),
            "fusion": ("sum", "weighted"),
        },
    ),
    "200 widths, 4 norms": (
        SHARED | {"columns": "3+3"},
        {
            "streams": STREAMS,
            "base_channels": Range(low=1, high=200),
            "topology": tuple(TOPOLOGIES),
            "norm": ("batch", "instance", "group", "none"),
            "units.lateral": tuple(UNITS["lateral"]),
        },
    ),
    "orders of 7 columns": (
        SHARED | {"base_channels": 8},
        {"streams": STREAMS, "columns": ORDERS, "topology": tuple(TOPOLOGIES)},
    ),
    "lists of side channels": (
        SHARED | {"base_channels": 8},
        {
            "streams": STREAMS,
            "columns": ("1+1", "2+2", "3+3"),
            "side_channels": SIDES,
            "fusion": ("sum", "concat", "weighted"),
        },
    ),
}
"""Kinds of columns beyond number; many widths; many specs that make no grid."""
TURNS = 3


def row(name: str) -> str:
    start = time.process_time()
    found = feasible(SHARED, SPACE, Budget(**BUDGETS[name]))
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    grids = sum(map(len, found.cell_costs.values()))
    rate = found.points / seconds
    return (
        f"| {name} | {found.feasible:,} of {found.points:,} | {seconds:.1f} | {rate:,.0f} "
        f"| {peak:.0f} | {grids:,} |"
    )


def one_by_one(name: str) -> str:
    chance = random.Random(0)
    budget = Budget(**BUDGETS[name])
    choices = {
        field: list(c.numbers()) if isinstance(c, Range) else c for field, c in SPACE.items()
    }
    start = time.process_time()
    for _ in range(SAMPLE):
        point = {field: chance.choice(values) for field, values in choices.items()}
        budget.verdict(build_grid(GridSpec(**merged(SHARED, point))))
    seconds = time.process_time() - start
    return (
        f"| one by one: {name} | {SAMPLE} | {seconds:.1f} | {SAMPLE / seconds:,.0f} | | {SAMPLE} |"
    )


def measure(name: str) -> dict[str, Any]:
    """CPU seconds to count a space, and its numbers of specs."""
    shared, space = SPACES[name]
    start = time.process_time()
    found = feasible(shared, space, Budget(**FEW))
    seconds = time.process_time() - start
    invalid = sum(found.invalid().values())
    return {"points": found.points, "invalid": invalid, "seconds": seconds}


def fresh(name: str, folder: str) -> dict[str, Any]:
    """`measure` in a process of its own, with the package of another checkout."""
    command = [sys.executable, __file__, "--measure", name]
    done = subprocess.run(
        command, env={"PYTHONPATH": folder}, capture_output=True, text=True, check=True
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def by_space(folders: list[str]) -> None:
    """A row for each space; the seconds are the least of some turns, in which folders alternate."""
    marks = ["CPU s", "specs/s"] if len(folders) == 1 else ["new CPU s", "old CPU s", "new / old"]
    print(f"| space | specs | no grid | {' | '.join(marks)} |")
    print(f"|---|---:|---:|{'---:|' * len(marks)}")
    for name in SPACES:
        turns = [[fresh(name, folder) for folder in folders] for _ in range(TURNS)]
        first = turns[0][0]
        least = [min(turn["seconds"] for turn in each) for each in zip(*turns, strict=True)]
        last = least[0] / least[1] if len(folders) > 1 else first["points"] / least[0]
        shown = [f"{seconds:.2f}" for seconds in least]
        shown.append(f"{last:.2f}" if len(folders) > 1 else f"{last:,.0f}")
        print(f"| {name} | {first['points']:,} | {first['invalid']:,} | {' | '.join(shown)} |")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--against")
    options.add_argument("--measure")
    asked = options.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.measure)))
        return
    here = str(Path(__file__).parents[1])
    if not asked.against:
        by_limit()
        print()
    by_space([here, asked.against] if asked.against else [here])


def by_limit() -> None:
    """A row for each budget, and one of grids counted one by one."""
    print("| limits on | feasible | CPU s | specs/s | peak MB | grids |")
    print("|---|---:|---:|---:|---:|---:|")
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for name in BUDGETS:
            print(pool.apply(row, (name,)), flush=True)
        print(pool.apply(one_by_one, ("the same, receptive field",)))


if __name__ == "__main__":
    main()
