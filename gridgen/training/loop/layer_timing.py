"""Measuring a table of layer times on a device, and networks by which its error is told."""

from collections.abc import Iterator
from random import Random
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from gridgen.arguments import checked
from gridgen.emit import GridNetwork
from gridgen.emit.lowering import lower_layer
from gridgen.grid import build_grid
from gridgen.grid.layers import Deconv
from gridgen.latency.layer_times import LayerTimes, Seconds, TimedNetwork
from gridgen.latency.work import CONVOLUTIONS, JOIN, POINTWISE, SUM
from gridgen.memory.setting import PrecisionField
from gridgen.progress import OnProgress, no_progress
from gridgen.spec import GridSpec
from gridgen.training.loop.latency import TimedModule, machine_name
from gridgen.training.processes import devices

CHANNELS = (4, 8, 16, 32, 64, 128, 256)
SIDES = (8, 32, 128, 384)
"""Of square maps on which convolutions are timed."""
MOST_MACS = 400_000_000
"""Larger convolutions are not timed on a CPU; they take as much for each MAC as smaller ones."""
VALUES = (1 << 10, 1 << 14, 1 << 18, 1 << 22)
WIDE = 16
"""Channels of what is timed by its values."""
SAMPLES = 5
FITTED, HELD_OUT = 12, 12
"""Networks that are timed as a whole."""
IMAGES = ((120, 160), (240, 320))


class _Sum(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.add_(y)


class _Join(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.cat((x, y), dim=1)


@checked
def calibrate_latency(
    device: str = "auto",
    *,
    threads: int = 1,
    precision: PrecisionField = "fp32",
    on_progress: OnProgress = no_progress,
) -> LayerTimes:
    """Time layers and networks on a device, a minute or two. Nothing else should use it meanwhile.

    Errors: `DeviceError`.
    """
    chosen = devices.choose_device(device)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return _LayerTimer(chosen, threads, precision, on_progress).table()
    finally:
        torch.set_num_threads(before)


class _LayerTimer:
    """Times modules on one device, and tells how far it is."""

    def __init__(
        self,
        device: torch.device,
        threads: int,
        precision: PrecisionField,
        on_progress: OnProgress,
    ) -> None:
        self.device, self.threads, self.precision = device, threads, precision
        self._on_progress, self._done = on_progress, 0
        self._total = len(CONVOLUTIONS) * len(CHANNELS) ** 2 + len(POINTWISE) + 2
        self._total += FITTED + HELD_OUT

    def table(self) -> LayerTimes:
        """All that is measured."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return LayerTimes(
                machine=machine_name(self.device),
                device="cpu" if self.device.type == "cpu" else "cuda",
                threads=self.threads,
                precision=self.precision,
                channels=CHANNELS,
                pixels=tuple(side**2 for side in SIDES),
                values=VALUES,
                convolutions={kind: self._convolutions(kind) for kind in CONVOLUTIONS},
                pointwise={kind: self._pointwise(kind) for kind in (*POINTWISE, SUM, JOIN)},
                networks=tuple(self._networks()),
            )

    def _convolutions(self, kind: str) -> Seconds:
        found: list[float] = []
        for given in CHANNELS:
            for made in CHANNELS:
                found += self._by_pixels(kind, given, made)
                self._step()
        return tuple(found)

    def _by_pixels(self, kind: str, given: int, made: int) -> Iterator[float]:
        layer = CONVOLUTIONS[kind](given, made)
        module = lower_layer(layer, fresh=False)
        # Pixels are those where the kernel is applied: a stride of 2 has read twice the side.
        wider = 1 if isinstance(layer, Deconv) else getattr(layer, "stride", 1)
        taken, last = 0.0, 0
        for side in SIDES:
            image = (given, wider * side, wider * side)
            macs = layer.macs(image)
            # On a GPU small ones take as long as their launch, which says nothing of larger ones.
            if last and macs > MOST_MACS and self.device.type == "cpu":
                taken *= macs / last
            else:
                taken = self._timed(module, image)
            last = macs
            yield taken

    def _pointwise(self, kind: str) -> Seconds:
        found = []
        for values in VALUES:
            side = round((values / WIDE) ** 0.5)
            shapes = [(WIDE, side, side)]
            if kind == SUM:
                module: nn.Module = _Sum()
                shapes *= 2
            elif kind == JOIN:  # by the values of both together
                module = _Join()
                shapes = [(WIDE // 2, side, side)] * 2
            else:
                module = lower_layer(POINTWISE[kind](WIDE), fresh=False)
            if kind in ("nearest", "bilinear"):  # by the values of the larger map, which is made
                shapes = [(WIDE, side // 2, side // 2)]
            found.append(self._timed(module, *shapes))
        self._step()
        return tuple(found)

    def _networks(self) -> Iterator[TimedNetwork]:
        random = Random(0)
        for number in range(FITTED + HELD_OUT):
            spec, size = drawn_network(random), IMAGES[number % len(IMAGES)]
            network = GridNetwork(build_grid(spec))
            seconds = self._timed(network, (spec.in_channels, *size))
            self._step()
            yield TimedNetwork(spec=spec, size=size, seconds=seconds, held_out=number >= FITTED)

    def _timed(self, module: nn.Module, *shapes: tuple[int, ...]) -> float:
        # As maps and weights lie in a `GridNetwork`.
        laid: dict[str, Any] = {"device": self.device, "memory_format": torch.channels_last}
        # Inside a network maps are what autocast computes its convolutions in.
        laid_maps = laid | ({"dtype": torch.bfloat16} if self.precision == "bf16" else {})
        inputs = tuple(torch.rand(1, *shape).to(**laid_maps) for shape in shapes)
        timed = TimedModule(module.to(**laid), inputs, self.precision, self.threads)
        return float(f"{median(timed.seconds() for _ in range(SAMPLES)):.4g}")

    def _step(self) -> None:
        self._done += 1
        self._on_progress(self._done, self._total)


def drawn_network(random: Random) -> GridSpec:
    """A network as a search may propose it: of two to four streams and four topologies."""
    return GridSpec(
        streams=random.choice([2, 3, 4]),
        columns=random.choice(["1+1", "2+2", "3+3"]),
        base_channels=random.randint(4, 16),
        classes=8,
        topology=random.choice(["gridnet", "unet", "conv-deconv", "resnet"]),
        size="pad",
    )
