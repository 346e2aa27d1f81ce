"""Whether networks are ranked alike when measured twice, on a machine that is busy.

    python -m benchmarks.latency [--load 2] [--networks 12] [--size 120x160]

Networks are drawn at random from grids of 2 to 4 streams, 1+1 to 3+3 columns, F0 4 to 16 and four
topologies, each measured twice as a search does, in two processes, while `--load` other processes
run convolutions all the time. Beside Kendall's tau of the ratios to the reference network stands
that of the milliseconds that the same measurements took.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import numpy as np
import torch

from gridgen.spec import GridSpec
from gridgen.tabular.ranking import kendall
from gridgen.training.loop.latency import Latency, LatencySetting, measure_latency
from gridgen.training.loop.layer_timing import drawn_network


def drawn(many: int) -> list[GridSpec]:
    random, found = Random(0), dict[str, GridSpec]()
    while len(found) < many:
        spec = drawn_network(random)
        found[str(spec)] = spec
    return [*found.values()]


def busy() -> None:
    torch.set_num_threads(1)
    layer, images = torch.nn.Conv2d(16, 16, 3), torch.rand(4, 16, 120, 160)
    while True:
        layer(images).sum().backward()


@contextmanager
def load(processes: int) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    running = [context.Process(target=busy, daemon=True) for _ in range(processes)]
    for each in running:
        each.start()
    try:
        yield
    finally:
        for each in running:
            each.terminate()


def progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {total}", end="", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", type=int, default=2)
    parser.add_argument("--networks", type=int, default=12)
    parser.add_argument("--size", default="120x160")
    options = parser.parse_args()
    networks, setting = drawn(options.networks), LatencySetting(size=options.size)
    with load(options.load):
        twice: list[list[Latency]] = [
            measure_latency(networks, setting, on_progress=progress) for _ in range(2)
        ]
    ratios, seconds = (
        [np.array([getattr(each, name) for each in found]) for found in twice]
        for name in ("ratio", "seconds")
    )
    for spec, one, other in zip(networks, *twice, strict=True):
        print(f"{one.ratio:.3f} {other.ratio:.3f}  {spec.title}, {spec.shape}")
    change = np.abs(ratios[1] / ratios[0] - 1)
    print(f"tau {kendall(*ratios):.2f}, of milliseconds {kendall(*seconds):.2f}")
    print(f"change of a ratio: median {np.median(change):.1%}, at most {change.max():.1%}")


if __name__ == "__main__":
    main()
