"""One image through every runtime and precision, against the convolutions of the network alone.

    OMP_NUM_THREADS=1 python -m benchmarks.runtimes [--size 192] [--rounds 5] [--only NAME]

    pip install 'gridgen[onnx]' openvino monai dynamic-network-architectures

Evaluation on a CPU: GridNetwork eager and compiled, the exported source, onnxruntime, OpenVINO (of
the file that is rewritten for it); fp32, bf16 and int8 (ranges of random images, for time alone).
All take turns in one process, with one thread each; a figure is the median of the rounds over that
of `convolutions`: the network's convolutions one after the other, on maps of their sizes, in the
fp32 of torch. Beside them stand nnU-Net's PlainConvUNet and MONAI's BasicUNet, by milliseconds per
GMAC. What is not installed is left out.
A training step in bf16 is held against the convolutions alone, forward and backward.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.source import NETWORKS, built
from gridgen import GridNetwork, build_grid
from gridgen.emit import lowering
from gridgen.export.onnx import onnx_of
from gridgen.export.rewriting import rewritten
from gridgen.export.unseen import INPUT

Run = Callable[[], Any]
CONVOLUTIONS = (
    nn.modules.conv._ConvNd,
    nn.modules.conv._ConvTransposeNd,
)


def alone(network: nn.Module, images: Tensor) -> Run:
    """The convolutions of a network, one after the other, on maps of the sizes that they see."""
    seen: list[tuple[nn.Module, Tensor]] = []
    hooks = [
        module.register_forward_pre_hook(
            lambda module, given: seen.append((module, torch.rand_like(given[0])))
        )
        for module in network.modules()
        if isinstance(module, CONVOLUTIONS)
    ]
    network(images)
    for hook in hooks:
        hook.remove()

    def run() -> None:
        for module, given in seen:
            module(given)  # its output is let go at once, as in the network

    return run


def torch_ways(name: str, network: nn.Module, images: Tensor) -> Iterator[tuple[str, Run]]:
    """A module of torch in both precisions."""

    def low(run: Run) -> Run:
        def in_bf16() -> Any:
            with torch.autocast("cpu", torch.bfloat16):
                return run()

        return in_bf16

    yield f"{name} fp32", lambda: network(images)
    yield f"{name} bf16", low(lambda: network(images))


def runtimes(network: GridNetwork, images: Tensor) -> Iterator[tuple[str, Run]]:
    """Onnxruntime and OpenVINO, where they are installed."""
    given = {INPUT: images.numpy()}
    raw = onnx_of(network, {}, verify=False)[0]
    with suppress(ImportError):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        for precision, file in (("fp32", raw), ("int8", quantized(raw, images))):
            session = onnxruntime.InferenceSession(file, options)
            yield f"onnxruntime {precision}", lambda session=session: session.run(None, given)
    with suppress(ImportError):
        import openvino  # type: ignore[import-untyped]

        other = onnx_of(rewritten(network), {}, verify=False)[0]
        files = {"fp32": other, "bf16": other, "int8": quantized(other, images)}
        files |= {"plain file, fp32": raw, "plain file, bf16": raw}
        for precision, file in files.items():
            how = {
                "INFERENCE_PRECISION_HINT": "bf16" if precision.endswith("bf16") else "f32",
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            }
            model = openvino.Core().read_model(file, b"")
            compiled = openvino.compile_model(model, "CPU", how)
            yield f"OpenVINO {precision}", lambda made=compiled: made(given[INPUT])


def quantized(raw: bytes, images: Tensor) -> bytes:
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        batches = iter([{INPUT: np.asarray(images)}])

        def get_next(self) -> Any:
            return next(self.batches, None)

    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "a.onnx", Path(folder) / "b.onnx"
        source.write_bytes(raw)
        quantization.quantize_static(source, target, Reader(), per_channel=True)
        return target.read_bytes()


def peers(classes: int = 19) -> Iterator[tuple[str, nn.Module]]:
    """Networks of others, as they are published, where they are installed."""
    with suppress(ImportError):
        from dynamic_network_architectures.architectures.unet import (  # type: ignore[import-not-found]
            PlainConvUNet,
        )

        for norm in (nn.InstanceNorm2d, nn.BatchNorm2d):
            network = PlainConvUNet(
                *(3, 5, (32, 64, 128, 256, 512), nn.Conv2d, 3, (1, 2, 2, 2, 2)),
                *((2,) * 5, classes, (2,) * 4),
                conv_bias=True,
                norm_op=norm,
                norm_op_kwargs={"eps": 1e-5, "affine": True},
                nonlin=nn.LeakyReLU,
                nonlin_kwargs={"inplace": True},
            )
            yield f"PlainConvUNet, {norm.__name__[:-2]}", network
    with suppress(ImportError):
        from monai.networks.nets import BasicUNet  # type: ignore[import-not-found]

        yield "BasicUNet", BasicUNet(spatial_dims=2, in_channels=3, out_channels=classes)


def step(network: nn.Module, images: Tensor) -> Run:
    """A training step under bf16: forward, backward, and one kernel of Adam for all weights."""
    optimizer = torch.optim.Adam(network.parameters(), fused=True)

    def run() -> None:
        with torch.enable_grad():
            with torch.autocast("cpu", torch.bfloat16):
                made = network(images)
            made.float().square().mean().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)

    return run


def convolutions_step(network: nn.Module, images: Tensor) -> Run:
    """Forward and backward of the convolutions alone, under bf16."""
    seen: list[tuple[nn.Module, Tensor]] = []

    def note(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        first = given[0].shape[1] == images.shape[1]
        seen.append((module, torch.rand_like(given[0]).requires_grad_(not first)))

    convolutions = (module for module in network.modules() if isinstance(module, CONVOLUTIONS))
    hooks = [module.register_forward_pre_hook(note) for module in convolutions]
    network(images)
    for hook in hooks:
        hook.remove()

    def run() -> None:
        for module, given in seen:
            with torch.enable_grad():
                with torch.autocast("cpu", torch.bfloat16):
                    made = module(given)
                made.backward(torch.ones_like(made))
            given.grad = None
            module.zero_grad()

    return run


def measure_steps(options: argparse.Namespace) -> None:
    """A training step of ours and of peers, against their convolutions."""
    images = torch.rand(options.batch, 3, options.size, options.size)
    images = images.to(memory_format=torch.channels_last)
    specs = {
        name: NETWORKS[name]().spec.but(total_dropout=0) for name in ("the paper's", "its U-Net")
    }
    ours = {name: built("GridNetwork", build_grid(spec)) for name, spec in specs.items()}
    networks = {**ours, **dict(peers())}
    ways: dict[str, Run] = {}
    for name, network in networks.items():
        network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        ways[name] = step(network, images)
        ways[f"{name} alone"] = convolutions_step(network, images)
    found = medians(ways, options.rounds)
    print("\n| network | bf16 step, ms | convolutions, ms | step / convolutions |")
    print("|---|---:|---:|---:|")
    for name in networks:
        whole, base = found[name], found[f"{name} alone"]
        print(f"| {name} | {1e3 * whole:.0f} | {1e3 * base:.0f} | {whole / base:.2f} |")


def measure_flipped(options: argparse.Namespace) -> None:
    """A training step with deconvolutions of stride 1 by flipped kernels, and by torch's own."""
    grid = build_grid(NETWORKS["the paper's"]().spec.but(total_dropout=0))
    images = torch.rand(options.batch, 3, options.size, options.size)
    images = images.to(memory_format=torch.channels_last)
    ways = {"flipped": step(built("GridNetwork", grid).train(), images)}
    with patch.dict(lowering.FLIPPED, clear=True):
        ways["plain"] = step(built("GridNetwork", grid).train(), images)
    found = medians(ways, options.rounds)
    print(f"\nstep by flipped kernels / without: {found['flipped'] / found['plain']:.3f}")


def gmacs(network: nn.Module, images: Tensor) -> float:
    with FlopCounterMode(display=False) as counter:
        network(images)
    return counter.get_total_flops() / 2e9


def medians(ways: dict[str, Run], rounds: int) -> dict[str, float]:
    """Seconds of each, taking turns; the first round is left out."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, run in ways.items():
            begun = time.perf_counter()
            run()
            if number:
                taken[name].append(time.perf_counter() - begun)
    return {name: statistics.median(each) for name, each in taken.items()}


def measure(name: str, options: argparse.Namespace) -> None:
    grid = NETWORKS[name]()
    images = torch.rand(1, 3, options.size, options.size).to(memory_format=torch.channels_last)
    network = built("GridNetwork", grid).eval()
    assert isinstance(network, GridNetwork)
    source = built("source", build_grid(grid.spec)).eval()
    ways: dict[str, Run] = {"convolutions": alone(network, images)}
    ways |= dict(torch_ways("eager", network, images))
    ways |= dict(torch_ways("source", source, images))
    if not options.not_compiled:
        ways |= dict(torch_ways("compiled", torch.compile(network), images))
    ways |= dict(runtimes(network, images))
    found = medians(ways, options.rounds)
    work, base = gmacs(network, images), found["convolutions"]
    print(f"\n{name}: {work:.1f} GMAC, convolutions {1e3 * base:.0f} ms\n")
    print("| way | ms | ms/GMAC | of the convolutions |\n|---|---:|---:|---:|")
    for way, seconds in found.items():
        print(
            f"| {way} | {1e3 * seconds:.0f} | {1e3 * seconds / work:.1f} | {seconds / base:.2f} |"
        )
    torch._dynamo.reset()


def compare(options: argparse.Namespace) -> None:
    """Peers beside the paper's U-Net and grid, eager, per GMAC."""
    images = torch.rand(1, 3, options.size, options.size).to(memory_format=torch.channels_last)
    ours = {name: built("GridNetwork", NETWORKS[name]()) for name in ("the paper's", "its U-Net")}
    networks = {**ours, **dict(peers())}
    ways: dict[str, Run] = {}
    for name, network in networks.items():
        network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        ways |= dict(torch_ways(name, network, images))
        ways[f"{name} convolutions"] = alone(network, images)
    found = medians(ways, options.rounds)
    print("\n| network | GMAC | fp32 ms/GMAC | of its convolutions | bf16 ms/GMAC |")
    print("|---|---:|---:|---:|---:|")
    for name, network in networks.items():
        work = gmacs(network, images)
        full, low, base = (found[f"{name} {kind}"] for kind in ("fp32", "bf16", "convolutions"))
        cells = f"{1e3 * full / work:.1f} | {full / base:.2f} | {1e3 * low / work:.1f}"
        print(f"| {name} | {work:.1f} | {cells} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--batch", type=int, default=8, help="of training steps")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=[*NETWORKS, "peers", "steps", "flipped"])
    parser.add_argument("--not-compiled", action="store_true", help="leave torch.compile out")
    options = parser.parse_args()
    threads, size = torch.get_num_threads(), options.size
    print(f"torch {torch.__version__}, {threads} threads, {size}x{size}")
    with torch.no_grad():
        for name in NETWORKS:
            if options.only in (None, name):
                measure(name, options)
        if options.only in (None, "peers"):
            compare(options)
        if options.only in (None, "steps"):
            measure_steps(options)
        if options.only in (None, "flipped"):
            measure_flipped(options)


if __name__ == "__main__":
    main()
