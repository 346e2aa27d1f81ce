"""Counting tools side by side: time, and error in percent against the sum over the built layers.

    pip install torchinfo fvcore
    python -m benchmarks.tools [--side 400] [--rounds 3]

The paper's network and its four sub-topologies. Exact is what hooks see in the built module: the
sizes of its parameters, the outputs of its layers, and for each convolution its weights times the
places where they are applied (of a transposed one, those of its input). The time of a tool is that
of looking at a module which stands already; gridgen's is from the spec to the numbers, nothing
cached. It is the least of the rounds after one that does not count. All look at the meta device but
fvcore, which cannot: it runs the network, once for MACs and once for activations.
"""

import argparse
import logging
import platform
import sys
import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from gridgen import Grid, GridNetwork, GridSpec, build_grid, count
from gridgen.analysis.sizes import larger_size
from gridgen.grid.layers import cost

COLUMNS = {"gridnet": "3+3", "conv-deconv": "3+3", "unet": "3+3", "frrn": "4+4", "resnet": "3+3"}

LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.ReLU)


class Found(NamedTuple):
    """What a tool says; None where it does not say."""

    parameters: int | None
    macs: int | None
    activations: int | None


class Case:
    """One network, on the CPU and on the meta device, and one image."""

    def __init__(self, topology: str, side: int) -> None:
        self.topology = topology
        self.spec = GridSpec(
            streams=5, columns=COLUMNS[topology], base_channels=16, classes=19, topology=topology
        )
        self.size = larger_size(self.spec, (side, side))
        self.grid: Grid = build_grid(self.spec)
        self.network, self.image = self._built("cpu")
        self.meta_network, self.meta_image = self._built("meta")

    @property
    def title(self) -> str:
        return f"{self.topology}, 5 x ({COLUMNS[self.topology]})"

    def _built(self, device: str) -> tuple[GridNetwork, Tensor]:
        with torch.device(device):
            return GridNetwork(self.grid).eval(), torch.rand(1, 3, *self.size)


def exact(case: Case) -> Found:
    """What the built layers come to, by hooks of our own."""
    macs = activations = 0

    def see(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal macs, activations
        activations += output.numel()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            places = inputs[0] if isinstance(module, nn.ConvTranspose2d) else output
            macs += module.weight.numel() * places.shape[-2:].numel()

    leaves = [m for m in case.meta_network.modules() if isinstance(m, LAYERS)]
    hooks = [leaf.register_forward_hook(see) for leaf in leaves]
    case.meta_network(case.meta_image)
    for hook in hooks:
        hook.remove()
    return Found(numel(case.meta_network), macs, activations)


def numel(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def gridgen(case: Case) -> Found:
    cost.cache_clear()
    counted = count(build_grid(case.spec), case.size)
    return Found(counted.parameters.total, counted.macs.total, counted.activations.total)


def flop_counter(case: Case) -> Found:
    with FlopCounterMode(display=False) as counter:
        case.meta_network(case.meta_image)
    return Found(None, counter.get_total_flops() // 2, None)


def with_torchinfo(case: Case) -> Found:
    from torchinfo import summary

    found = summary(case.meta_network, input_data=case.meta_image, device="meta", verbose=0)
    values = found.total_output_bytes // (2 * 4)  # fp32, and twice, for the gradients
    return Found(found.total_params, found.total_mult_adds, values)


def with_fvcore(case: Case) -> Found:
    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis, parameter_count

    inputs = case.network, case.image
    return Found(
        parameter_count(case.network)[""],
        int(FlopCountAnalysis(*inputs).total()),
        int(ActivationCountAnalysis(*inputs).total()),
    )


TOOLS: dict[str, Callable[[Case], Found]] = {
    "gridgen count": gridgen,
    "torch.utils.flop_counter": flop_counter,
    "torchinfo": with_torchinfo,
    "fvcore": with_fvcore,
}


def milliseconds(tool: Callable[[Case], Found], case: Case, rounds: int) -> float:
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        tool(case)
        times.append(time.perf_counter() - start)
    return 1e3 * min(times[1:])


def error(found: int | None, truth: int | None) -> str:
    """In percent of the truth; 0 only where both are the same."""
    if found is None or truth is None:
        return "-"
    return "0" if found == truth else f"{100 * (found / truth - 1):+.2f} %"


def require_tools() -> None:
    """Everything that is compared can be imported; else one line and exit code 2."""
    try:
        import fvcore.nn  # noqa: F401
        import torchinfo  # noqa: F401
    except ImportError as missing:
        print(f"{missing}: pip install torchinfo fvcore", file=sys.stderr)
        sys.exit(2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--side", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    require_tools()
    warnings.simplefilter("ignore")
    logging.getLogger("fvcore").setLevel(logging.ERROR)  # of every sum: unsupported operator
    print(f"{platform.machine()} CPU, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"one image of at least {options.side}x{options.side}\n")
    print("| network | tool | parameters | MACs | activations | ms | against gridgen |")
    print("|---|---|---:|---:|---:|---:|---:|", flush=True)
    for topology in COLUMNS:
        print_rows(Case(topology, options.side), options.rounds)


def print_rows(case: Case, rounds: int) -> None:
    truth = exact(case)
    print(f"| {case.title} | exact | {' | '.join(f'{value:,}' for value in truth)} | | |")
    fastest = milliseconds(gridgen, case, rounds)
    for name, tool in TOOLS.items():
        taken = fastest if tool is gridgen else milliseconds(tool, case, rounds)
        errors = " | ".join(map(error, tool(case), truth))
        print(f"| | {name} | {errors} | {taken:,.1f} | {taken / fastest:,.0f}x |", flush=True)


if __name__ == "__main__":
    main()
