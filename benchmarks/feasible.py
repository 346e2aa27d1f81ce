"""Every spec of a search space held against a budget: specs per second, and memory.

python -m benchmarks.feasible

1,317,600 specs of up to 48 maps: 5 numbers of streams, 16 of columns, 61 widths, 5 topologies, all
units, vertical identities or none. Each row is a fresh process; its peak holds Python, numpy and
pydantic too. Limits on memory look at some grids one by one (last column), the others at none.
The last row is what it replaces: grids built and counted one by one, on a sample.
"""

import multiprocessing
import random
import resource
import time
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


def row(name: str) -> str:
    start = time.perf_counter()
    found = feasible(SHARED, SPACE, Budget(**BUDGETS[name]))
    seconds = time.perf_counter() - start
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
    start = time.perf_counter()
    for _ in range(SAMPLE):
        point = {field: chance.choice(values) for field, values in choices.items()}
        budget.verdict(build_grid(GridSpec(**merged(SHARED, point))))
    seconds = time.perf_counter() - start
    return (
        f"| one by one: {name} | {SAMPLE} | {seconds:.1f} | {SAMPLE / seconds:,.0f} | | {SAMPLE} |"
    )


def main() -> None:
    print("| limits on | feasible | s | specs/s | peak MB | grids |")
    print("|---|---:|---:|---:|---:|---:|")
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as fresh:
        for name in BUDGETS:
            print(fresh.apply(row, (name,)), flush=True)
        print(fresh.apply(one_by_one, ("the same, receptive field",)))


if __name__ == "__main__":
    main()
