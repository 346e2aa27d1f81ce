"""Specs counted per second: by closed form, through the Grid, and by building the module.

python -m benchmarks.counting
"""

import statistics
import time
from collections.abc import Callable

import torch

from gridgen import GridNetwork, GridSpec, build_grid, count
from gridgen.analysis import closed_form

FAMILY = [(streams, base, sub) for streams in (3, 4, 5) for base in (8, 16) for sub in (2, 3, 4)]
ROUNDS = 5


def by_closed_form(streams: int, base: int, columns: int) -> int:
    return closed_form.parameters(streams, base, columns, columns, in_channels=3, classes=19)


def by_grid(streams: int, base: int, columns: int) -> int:
    return count(build_grid(spec(streams, base, columns)), (400, 400)).parameters.total


def by_module(streams: int, base: int, columns: int) -> int:
    network = GridNetwork(build_grid(spec(streams, base, columns)))
    return sum(parameter.numel() for parameter in network.parameters())


def by_meta_module(streams: int, base: int, columns: int) -> int:
    with torch.device("meta"):
        return by_module(streams, base, columns)


def spec(streams: int, base: int, columns: int) -> GridSpec:
    return GridSpec.of(
        streams=streams, columns=f"{columns}+{columns}", base_channels=base, classes=19
    )


def per_second(way: Callable[[int, int, int], int], repeats: int) -> float:
    rates = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(repeats):
            for parameters in FAMILY:
                way(*parameters)
        rates.append(repeats * len(FAMILY) / (time.perf_counter() - start))
    return statistics.median(rates)


def main() -> None:
    ways = (
        ("closed form", by_closed_form, 500),
        ("Grid (all counts)", by_grid, 1),
        ("module on the meta device", by_meta_module, 1),
        ("module", by_module, 1),
    )
    assert len({way(5, 16, 3) for _, way, _ in ways}) == 1
    rates = [(name, per_second(way, repeats)) for name, way, repeats in ways]
    slowest = rates[-1][1]
    print("| way | specs per second | against the module |")
    print("|---|---|---|")
    for name, rate in rates:
        print(f"| {name} | {rate:,.0f} | {rate / slowest:,.0f}x |")


if __name__ == "__main__":
    main()
