"""The exported source against GridNetwork: time and peak memory.

    python -m benchmarks.source [--size 224] [--batch 1] [--rounds 7] [--device cpu]

Both networks have the same weights and run in one process in turn, in fp32; the ratio is the median
of those of the rounds, each source / GridNetwork. Peak memory is what a pass adds at its peak, on a
CPU by the resident set of a fresh process: source evaluates column by column, GridNetwork in the
order that needs least memory. Ratios below 1 are in favour of the source.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.module import cuda_peak, in_fresh_process, resident
from gridgen import Grid, GridNetwork, build_grid, load_spec, source_of

NETWORKS = {
    "the paper's": lambda: build_grid(load_spec("specs/gridnet.yaml")),
    "its U-Net": lambda: build_grid(load_spec("specs/gridnet.yaml", topology="unet")),
    "unet++": lambda: build_grid(load_spec("unet++")),
    "hrnet": lambda: build_grid(load_spec("hrnet")),
}
KINDS = ("GridNetwork", "source")
PASSES = ("forward", "forward and backward")


def built(kind: str, grid: Grid) -> nn.Module:
    """The network of a grid, with the weights of a fixed seed."""
    torch.manual_seed(0)
    if kind == "GridNetwork":
        return GridNetwork(grid)
    names: dict[str, Callable[[], nn.Module]] = {"__name__": "source"}  # type: ignore[dict-item]
    exec(compile(source_of(grid), "source.py", "exec"), names)
    return names["Network"]()


def run(network: nn.Module, images: Tensor, what: str) -> None:
    """One pass; no unit is left out by chance, as the seed is the same for both."""
    training = what != "forward"
    network.train(training)
    torch.manual_seed(1)
    with torch.set_grad_enabled(training):
        logits = network(images)
    if training:
        logits.square().mean().backward()
        network.zero_grad(set_to_none=False)
    if images.device.type == "cuda":
        torch.cuda.synchronize()


def seconds(network: nn.Module, images: Tensor, what: str) -> float:
    start = time.perf_counter()
    run(network, images, what)
    return time.perf_counter() - start


def peak_megabytes(options: argparse.Namespace, name: str, kind: str, what: str) -> float:
    """What a pass adds at its peak: on CUDA here, on a CPU in a process of its own."""
    if options.device.startswith("cuda"):
        network, images = prepared(options, name, kind)
        return cuda_peak(lambda: run(network, images, what)) / 1e6
    arguments = ["-m", "benchmarks.source", "--alone", name, kind, what]
    size = ["--size", str(options.size), "--batch", str(options.batch)]
    return float(in_fresh_process([*arguments, *size]))


def prepared(options: argparse.Namespace, name: str, kind: str) -> tuple[nn.Module, Tensor]:
    """A network and a batch of images on the device."""
    grid = NETWORKS[name]()
    images = torch.rand(options.batch, 3, options.size, options.size, device=options.device)
    return built(kind, grid).to(options.device), images.to(memory_format=torch.channels_last)


def measure(options: argparse.Namespace, name: str) -> None:
    (ours, images), (source, _) = (prepared(options, name, kind) for kind in KINDS)
    source.load_state_dict(ours.state_dict())
    for what in PASSES:
        ratios, least = [], float("inf")
        for number in range(options.rounds + 1):
            pair = {
                key: seconds(network, images, what)
                for key, network in (("ours", ours), ("source", source))[:: (-1) ** number]
            }
            if number:  # the first finds memory and layouts
                ratios.append(pair["source"] / pair["ours"])
                least = min(least, pair["ours"])
        one, other = (peak_megabytes(options, name, kind, what) for kind in KINDS)
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(
            f"| {name} | {what} | {least:.3f} | {statistics.median(ratios):.3f} | {spread} "
            f"| {one:,.0f} | {other:,.0f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--alone", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        name, kind, what = options.alone
        network, images = prepared(options, name, kind)
        before = resident("VmRSS")
        run(network, images, what)
        print((resident("VmHWM") - before) / 1e6)
        return
    print(
        "| network | pass | GridNetwork, s | source / GridNetwork, median | all rounds "
        "| GridNetwork, MB | source, MB |"
    )
    print("|---|---|---:|---:|---:|---:|---:|", flush=True)
    for name in NETWORKS:
        measure(options, name)


if __name__ == "__main__":
    main()
