"""Specs counted per second: by closed form, through the Grid, and by building the module.

    python -m benchmarks.counting

Then the closed forms over arrays: every spec of a block of the paper's family, more than 10^6, in
one call.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from gridgen import GridNetwork, GridSpec, build_grid, count
from tests.oracles import closed_form

FAMILY = [(streams, base, sub) for streams in (3, 4, 5) for base in (8, 16) for sub in (2, 3, 4)]
ROUNDS = 5
SIDE = 512

Way = Callable[[int, int, int], int]


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
    return GridSpec(streams=streams, columns=f"{columns}+{columns}", base_channels=base, classes=19)


def per_second(work: Callable[[], object], specs: int) -> float:
    """The median over the rounds."""
    rates = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        rates.append(specs / (time.perf_counter() - start))
    return statistics.median(rates)


def whole_family(way: Way, repeats: int) -> Callable[[], None]:
    def work() -> None:
        for _ in range(repeats):
            for parameters in FAMILY:
                way(*parameters)

    return work


def print_ways() -> None:
    ways = (
        ("closed form", by_closed_form, 500),
        ("Grid (all counts)", by_grid, 1),
        ("module on the meta device", by_meta_module, 1),
        ("module", by_module, 1),
    )
    assert len({way(5, 16, 3) for _, way, _ in ways}) == 1
    rates = [
        (name, per_second(whole_family(way, repeats), repeats * len(FAMILY)))
        for name, way, repeats in ways
    ]
    slowest = rates[-1][1]
    print("| way | specs per second | against the module |")
    print("|---|---|---|")
    for name, rate in rates:
        print(f"| {name} | {rate:,.0f} | {rate / slowest:,.0f}x |")


def block() -> dict[str, Any]:
    """1 to 8 streams, 1 to 192 base channels, 1 to 30 sub and as many up columns: one a row."""
    axes = np.arange(1, 9), np.arange(1, 193), np.arange(1, 31), np.arange(1, 31)
    table = [axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")]
    return dict(zip(("streams", "base_channels", "sub", "up"), table, strict=True))


def print_arrays() -> None:
    family = block()
    specs, size = family["streams"].size, {"height": SIDE, "width": SIDE}
    ends = {"in_channels": 3, "classes": 19}
    columns = {name: family[name] for name in ("base_channels", "sub", "up")}
    ways: dict[str, Callable[[], Any]] = {
        "parameters": lambda: closed_form.parameters(**family, **ends),
        "activations": lambda: closed_form.activations(**family, **ends, **size),
        "MACs": lambda: closed_form.macs(**family, **ends, **size),
        "paper's parameters": lambda: closed_form.paper_parameters(**family),
        "paper's activations": lambda: closed_form.paper_activations(**columns, **size),
    }
    exact = list(ways.values())[:3]
    ways["parameters, activations and MACs"] = lambda: [way() for way in exact]
    print(f"\n{specs:,} specs in one array\n")
    print("| closed form over arrays | specs per second |")
    print("|---|---:|")
    for name, way in ways.items():
        print(f"| {name} | {per_second(way, specs):,.0f} |")


def main() -> None:
    print_ways()
    print_arrays()


if __name__ == "__main__":
    main()
