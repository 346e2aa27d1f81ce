"""Training throughput: the paper's network in four settings, and two peers in the same ones.

    python -m benchmarks.throughput [--device cuda] [--size 400] [--batch 4 16] [--steps 20]

Whole steps (forward, cross-entropy, backward, fused Adam) on random images that lie on the device:
images per second, and the peak of torch's allocator. The peers are the network written by hand,
and MONAI's BasicUNet (`pip install --no-deps monai`) with channels scaled until its MACs are those
of the paper's network. On a CPU, where it is known to work at a small size, the memory is the
resident set afterwards and means little.
"""

import argparse
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from gridgen import GridNetwork, GridSpec, build_grid
from gridgen.training.loop.measurement import resident
from gridgen.training.processes.precision import autocast
from tests.oracles.handwritten import HandWritten

CLASSES = 19
BASIC = (32, 32, 64, 128, 256, 32)
"""Features of MONAI's BasicUNet as it comes."""


@dataclass(frozen=True)
class Mode:
    name: str
    precision: str = "fp32"
    channels_last: bool = False
    compiled: bool = False


MODES = (
    Mode("fp32"),
    Mode("bf16", "bf16"),
    Mode("bf16 + channels_last", "bf16", True),
    Mode("bf16 + channels_last + compile", "bf16", True, True),
)


def paper() -> nn.Module:
    return GridNetwork(
        build_grid(GridSpec(streams=5, columns="3+3", base_channels=16, classes=CLASSES))
    )


def macs(network: nn.Module) -> int:
    """Of one image of 128x128, on the meta device."""
    counter = FlopCounterMode(display=False)
    with counter, torch.device("meta"):
        network.to("meta")(torch.empty(1, 3, 128, 128))
    return counter.get_total_flops() // 2


def basic_unet() -> nn.Module:
    """MONAI's, whose features are the multiple of 1/16 of its own that comes nearest in MACs."""
    from monai.networks.nets import BasicUNet

    def scaled(sixteenths: int) -> nn.Module:
        features = tuple(max(width * sixteenths // 16, 1) for width in BASIC)
        return BasicUNet(spatial_dims=2, in_channels=3, out_channels=CLASSES, features=features)

    wanted = macs(paper())
    best = min(range(8, 64), key=lambda sixteenths: abs(macs(scaled(sixteenths)) - wanted))
    return scaled(best)


def networks() -> dict[str, Callable[[], nn.Module]]:
    known: dict[str, Callable[[], nn.Module]] = {"by hand": HandWritten, "gridgen": paper}
    if find_spec("monai") is not None:
        known["BasicUNet (MONAI)"] = basic_unet
    return known


class Workload:
    def __init__(
        self, make: Callable[[], nn.Module], mode: Mode, batch: int, size: int, device: torch.device
    ) -> None:
        torch.manual_seed(0)
        layout = torch.channels_last if mode.channels_last else torch.contiguous_format
        self.mode, self.device = mode, device
        network = make().to(device=device, memory_format=layout).train()
        self.model = torch.compile(network) if mode.compiled else network
        fused = device.type == "cuda"
        self.optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=fused)
        self.images = torch.rand(batch, 3, size, size, device=device).to(memory_format=layout)
        self.labels = torch.randint(CLASSES, (batch, size, size), device=device)

    def step(self) -> None:
        with autocast(self.device, self.mode.precision):
            loss = nn.functional.cross_entropy(self.model(self.images).float(), self.labels)
        self.optimizer.zero_grad(set_to_none=False)
        loss.backward()
        self.optimizer.step()


def waited(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def measured(workload: Workload, batch: int, steps: int) -> tuple[float, int]:
    """Images per second, and peak bytes."""
    device, cuda = workload.device, workload.device.type == "cuda"
    for _ in range(3 if steps > 3 else 1):
        workload.step()
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)
    begun = waited(device)
    for _ in range(steps):
        workload.step()
    speed = batch * steps / (waited(device) - begun)
    return speed, torch.cuda.max_memory_allocated(device) if cuda else resident("VmRSS")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--size", type=int, default=400)
    parser.add_argument("--batch", type=int, nargs="+", default=[4, 16])
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    device = torch.device(options.device)
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU {platform.machine()}"
    print(f"{name}, torch {torch.__version__}, {options.size}x{options.size}; MACs of one 128x128:")
    for known, make in networks().items():
        print(f"- {known}: {macs(make()):,}")
    print("\n| batch | mode | network | images/s | against by hand | peak MB |")
    print("|---:|---|---|---:|---:|---:|")
    for batch in options.batch:
        for mode in MODES:
            table(mode, batch, options, device)


def table(mode: Mode, batch: int, options: argparse.Namespace, device: torch.device) -> None:
    speeds: dict[str, float] = {}
    for name, make in networks().items():
        try:
            speeds[name], peak = measured(
                Workload(make, mode, batch, options.size, device), batch, options.steps
            )
        except (RuntimeError, AssertionError) as error:  # torch.compile fails on some peers
            reason = str(error).splitlines()[0][:60]
            print(f"| {batch} | {mode.name} | {name} | failed: {reason} | | |", flush=True)
            continue
        finally:
            if device.type == "cuda":
                torch.cuda.empty_cache()
        ratio = f"{speeds[name] / speeds['by hand']:.2f}"
        figures = f"{speeds[name]:.1f} | {ratio} | {peak / 1e6:,.0f}"
        print(f"| {batch} | {mode.name} | {name} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
