"""Every published network: seconds per billion multiply-accumulates, forward and backward.

    python -m benchmarks.architectures [--device cuda] [--side 224] [--batch 2] [NAME ...]

Each network runs at the smallest legal size that holds side x side; the time is the least of the
rounds after one that does not count. The last column is forward+backward against the paper's
network in the same run: above 1, a network uses the machine worse per multiplication.
"""

import argparse
import platform
import time

import torch

from gridgen import Grid, GridNetwork, build_grid, count
from gridgen.analysis.sizes import larger_size
from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES

PAPER = "specs/gridnet.yaml"


class Workload:
    """One network and one batch of images."""

    def __init__(self, grid: Grid, options: argparse.Namespace) -> None:
        torch.manual_seed(0)
        self.device = torch.device(options.device)
        self.size = larger_size(grid.spec, (options.side, options.side))
        self.gmacs = options.batch * count(grid, self.size).macs.total / 1e9
        self.network = GridNetwork(grid).to(self.device)
        shape = (options.batch, grid.spec.in_channels, *self.size)
        self.images = torch.rand(shape, device=self.device)

    def forward(self) -> None:
        self.network.eval()
        with torch.no_grad():
            self.network(self.images)

    def forward_and_backward(self) -> None:
        self.network.train()
        self.network(self.images).square().mean().backward()

    def seconds(self, what: str, rounds: int) -> float:
        return min([self.once(what) for _ in range(rounds + 1)][1:])

    def once(self, what: str) -> float:
        self._wait()
        start = time.perf_counter()
        getattr(self, what)()
        self._wait()
        return time.perf_counter() - start

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def row(name: str, options: argparse.Namespace) -> tuple[str, tuple[int, int], float, float, float]:
    """Name, size, GMAC of the batch, and seconds per GMAC of both passes."""
    work = Workload(build_grid(load_spec(name)), options)
    rounds = options.rounds
    forward = work.seconds("forward", rounds)
    both = work.seconds("forward_and_backward", rounds)
    return name, work.size, work.gmacs, forward / work.gmacs, both / work.gmacs


def device_name(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(torch.device(device))
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", default=[PAPER, *ARCHITECTURES])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{device_name(options.device)}, batch {options.batch}, torch {torch.__version__}\n")
    print("| network | size | GMAC | forward s/GMAC | forward+backward s/GMAC | against GridNet |")
    print("|---|---|---:|---:|---:|---:|", flush=True)
    baseline = row(PAPER, options)[-1]
    for name in options.names:
        shown, size, gmacs, forward, both = row(name, options)
        print(
            f"| {shown} | {size[0]}x{size[1]} | {gmacs:.1f} | {forward:.4f} | {both:.4f} | "
            f"{both / baseline:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
