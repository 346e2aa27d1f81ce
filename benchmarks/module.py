"""The emitted module against the same network written by hand: time and peak memory.

    python benchmarks/module.py [--device cuda] [--size 400] [--batch 4] [--rounds 5]

Both run in the same process, alternating, so that a noisy machine disturbs both alike; the time
is the least of the rounds. Peak memory is what a forward or forward+backward adds at its peak:
`max_memory_allocated` on CUDA; on a CPU the highest resident set of a fresh process above that
before the pass. Ratios below 1 are in favour of the emitted module.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import nn

from gridgen import GridNetwork, GridSpec, build_grid
from tests.oracles.handwritten import HandWritten

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16}
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
PASSES = ("forward", "forward+backward")


def emitted() -> nn.Module:
    spec = GridSpec(streams=5, columns="3+3", base_channels=16, classes=19)
    return GridNetwork(build_grid(spec))


NETWORKS = {"hand-written": HandWritten, "emitted": emitted}


class Workload:
    """One network, one image batch, one way of running them."""

    def __init__(self, name: str, precision: str, layout: str, options: argparse.Namespace) -> None:
        torch.manual_seed(0)
        self.device, self.dtype = torch.device(options.device), PRECISIONS[precision]
        memory_format = FORMATS[layout]
        self.network = NETWORKS[name]().to(device=self.device, memory_format=memory_format)
        if options.compile:
            self.network = torch.compile(self.network)
        shape = (options.batch, 3, options.size, options.size)
        self.images = torch.rand(shape, device=self.device).to(memory_format=memory_format)
        self.labels = torch.randint(
            19, (options.batch, options.size, options.size), device=self.device
        )

    def run(self, what: str) -> None:
        training = what != "forward"
        self.network.train(training)
        context = torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype is not None)
        with torch.set_grad_enabled(training), context:
            logits = self.network(self.images)
        if training:
            nn.functional.cross_entropy(logits.float(), self.labels).backward()
            self.network.zero_grad(set_to_none=False)
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def seconds(workload: Workload, what: str) -> float:
    start = time.perf_counter()
    workload.run(what)
    return time.perf_counter() - start


def peak_bytes(workload: Workload, what: str) -> int:
    """Memory that one pass adds at its peak. On a CPU, call once in a fresh process."""
    if workload.device.type == "cuda":
        return cuda_peak(lambda: workload.run(what))
    for parameter in workload.network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    before = resident("VmRSS")
    workload.run(what)
    return resident("VmHWM") - before


def cuda_peak(run: Callable[[], None]) -> int:
    """Bytes that a pass adds at its peak on the GPU, once memory and layouts are found."""
    run()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    return torch.cuda.max_memory_allocated() - before


def in_fresh_process(arguments: list[str]) -> str:
    """What a Python program prints; each of its tensors gets pages of its own and gives them back,
    so that its resident set is what is alive.
    """
    malloc = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    environment = {**os.environ, **malloc}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout


def resident(field: str) -> int:
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(field))
    return int(line.split()[1]) * 1024


def measured_peak(
    name: str, precision: str, layout: str, what: str, options: argparse.Namespace
) -> int:
    if options.device != "cpu":
        return peak_bytes(Workload(name, precision, layout, options), what)
    arguments = ["-m", "benchmarks.module", "--peak", name, precision, layout, what]
    arguments += ["--size", str(options.size), "--batch", str(options.batch)]
    return int(in_fresh_process(arguments))


def compare(precision: str, layout: str, options: argparse.Namespace) -> None:
    workloads = {name: Workload(name, precision, layout, options) for name in NETWORKS}
    for what in PASSES:
        times: dict[str, list[float]] = {name: [] for name in NETWORKS}
        for workload in workloads.values():
            workload.run(what)
        for _ in range(options.rounds):
            for name, workload in workloads.items():
                times[name].append(seconds(workload, what))
        hand, ours = (min(times[name]) for name in NETWORKS)
        peaks = [measured_peak(name, precision, layout, what, options) for name in NETWORKS]
        print(
            f"| {precision} | {layout} | {what} | {hand:.3f} | {ours:.3f} | **{ours / hand:.2f}** "
            f"| {peaks[0] / 2**20:.0f} | {peaks[1] / 2**20:.0f} | **{peaks[1] / peaks[0]:.2f}** |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", type=int, default=400)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--peak", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        name, precision, layout, what = options.peak
        print(peak_bytes(Workload(name, precision, layout, options), what))
        return
    name = torch.cuda.get_device_name() if options.device == "cuda" else f"CPU {platform.machine()}"
    print(f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}, ", end="")
    print(f"batch {options.batch} of {options.size}x{options.size}\n")
    print("| precision | layout | pass | hand-written s | emitted s | ratio ", end="")
    print("| hand-written MiB | emitted MiB | ratio |")
    print("|---|---|---|---|---|---|---|---|---|")
    for precision in PRECISIONS:
        for layout in FORMATS:
            compare(precision, layout, options)


if __name__ == "__main__":
    main()
