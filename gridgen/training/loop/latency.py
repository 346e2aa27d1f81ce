"""How long networks take for an image, each beside a reference network that is timed in turn.

What slows a machine down for a while slows both, so that their ratio stays. Run as a module this is
the process that times: it reads a setting and then networks from stdin, a line of JSON each, and
answers each with a line.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from gridgen.architectures.load import spec_of
from gridgen.arguments import checked, checked_fields
from gridgen.emit import GridNetwork
from gridgen.errors import DeviceError, GridgenError, TrainingError
from gridgen.files import read_text
from gridgen.grid import GridLike, build_grid
from gridgen.grid.building import as_grid
from gridgen.memory.setting import PrecisionField
from gridgen.progress import OnProgress, no_progress
from gridgen.space.workload import Image, Workload
from gridgen.spec import Document, GridSpec, NetworkSpec
from gridgen.training.processes import devices
from gridgen.training.processes.precision import autocast

REFERENCE = GridSpec(
    streams=3, columns="2+2", base_channels=16, classes=8, topology="unet", size="pad"
)
"""Its time is the unit of all ratios."""
COPIES, PAIRS = 5, 20
"""Copies of a network, since where its tensors come to lie in memory makes some percent, and times
of each, every one between two of the reference.
"""
SECONDS_EACH = 0.005
"""What is timed at once lasts so long at least, in several runs where one is shorter."""
WARM_UP = 3
MOST_SECONDS = 10.0
"""After which no further pairs are timed, once each copy had one; a slow network needs fewer."""
CPUINFO = Path("/proc/cpuinfo")


class LatencySetting(Document):
    """What is timed: a forward pass for images of this size, in evaluation mode."""

    kind: ClassVar[str] = "latency"

    size: Image = Field(description="Height and width of the image, [360, 480] or 360x480.")
    batch: int = Field(default=1, ge=1, le=4096, description="Images at once.")
    precision: PrecisionField = Field(default="fp32", description="fp32, bf16 or fp16.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="cpu", description="auto is the GPU where there is one."
    )
    threads: int = Field(default=1, ge=1, le=1024, description="Threads of a CPU.")
    at_most: float | None = Field(
        default=None, gt=0, description="Milliseconds for a batch that a candidate may take."
    )
    table: str | None = Field(
        default=None,
        description="A file of layer times, from here, which gridgen calibrate --latency writes: "
        "what it predicts to be far over at_most is refused without being timed.",
    )


@checked_fields
@dataclass(frozen=True)
class Latency:
    """The time of a network as a ratio to that of the reference: the median of the pairs, and their
    quartiles. `reference` is the reference's own median in seconds for a batch meanwhile.
    """

    ratio: float
    low: float
    high: float
    reference: float

    @property
    def seconds(self) -> float:
        """What the network took for a batch."""
        return self.ratio * self.reference


class LatencyMeter:
    """A process that times networks under one setting, begun for the first of them.

    `machine` names the device and torch, `reference` is the reference's first median: of a machine
    that is busy later on, times are told in the terms of then.
    """

    def __init__(self, setting: LatencySetting) -> None:
        self.setting, self.machine = setting, ""
        self.reference = 0.0
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self) -> None:
        """Start the process, if it is not there. Errors: `DeviceError`, `TrainingError`."""
        if self._process is not None:
            return
        command = [sys.executable, "-m", "gridgen.training.loop.latency"]
        pipe = subprocess.PIPE
        # A session of its own: Ctrl-C in a terminal is for the driver, which then ends this one.
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, encoding="utf-8", start_new_session=True
        )
        told = self._ask(self.setting.complete())
        self.machine, self.reference = told["machine"], told["reference"]

    def time(self, network: NetworkSpec) -> Latency:
        """The latency of a network. Errors: `DeviceError`, `TrainingError` where it cannot run."""
        self.begin()
        try:
            return Latency(**self._ask(network.complete()))
        except TrainingError:
            if self._process is not None:
                raise
        # What killed it may have been another program's need of memory.
        self.begin()
        return Latency(**self._ask(network.complete()))

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()  # it keeps nothing that could be lost
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        process.wait()

    def _ask(self, content: dict[str, Any]) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{json.dumps(content)}\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        if not line.startswith("{"):
            self.close()
            raise TrainingError("the process that measures its latency ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            kind = DeviceError if answer["kind"] == "device" else TrainingError
            raise kind(answer["error"])
        return answer


@checked
def measure_latency(
    networks: Sequence[GridLike],
    setting: LatencySetting,
    *,
    on_progress: OnProgress = no_progress,
) -> list[Latency]:
    """The latencies of networks, one after the other. Errors: as `LatencyMeter.time`.

    On a CPU with one thread the time is that of the thread, so that other programs do not count;
    else it is that of the clock.
    """
    found = []
    with LatencyMeter(setting) as meter:
        for number, network in enumerate(networks):
            on_progress(number, len(networks))
            found.append(meter.time(as_grid(network).spec))
    return found


class TimedModule:
    """A module on its device in evaluation with its inputs, and how many runs are timed at once."""

    def __init__(
        self, module: nn.Module, inputs: tuple[Tensor, ...], precision: str, threads: int
    ) -> None:
        self.module, self.inputs, self.precision = module.eval(), inputs, precision
        self.device = inputs[0].device
        self._clock = _clock(self.device, threads)
        # The first runs choose kernels and fill caches.
        for _ in range(WARM_UP):
            self._run()
        self.runs = 1
        while (taken := self.seconds() * self.runs) < SECONDS_EACH:
            self.runs = max(2 * self.runs, int(self.runs * SECONDS_EACH / max(taken, 1e-6)))

    def seconds(self) -> float:
        """The time of one run, from as many as are timed at once."""
        begun = self._clock()
        for _ in range(self.runs):
            self._run()
        return (self._clock() - begun) / self.runs

    @torch.inference_mode()
    def _run(self) -> None:
        with autocast(self.device, self.precision):
            self.module(*self.inputs)


def timed_network(spec: NetworkSpec, setting: LatencySetting, device: torch.device) -> TimedModule:
    """A network with random images. Errors: `SizeError`."""
    network = GridNetwork(build_grid(spec)).to(device)
    size = Workload(size=setting.size).image(spec)
    images = torch.rand(setting.batch, spec.in_channels, *size, device=device)
    return TimedModule(network, (images,), setting.precision, setting.threads)


def _clock(device: torch.device, threads: int) -> Callable[[], float]:
    if device.type == "cpu":
        # What the thread waits while others have its core is not its own time.
        return time.thread_time if threads == 1 else time.perf_counter

    def waited() -> float:
        torch.accelerator.synchronize(device)
        return time.perf_counter()

    return waited


def machine_name(device: torch.device) -> str:
    """The device, of a CPU its model too, as another one with as many cores is another machine,
    and torch.
    """
    model = ""
    if device.type == "cpu" and CPUINFO.is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", read_text(CPUINFO), re.MULTILINE)
        model = f", {found.group(1).strip()}" if found else ""
    return f"{devices.machine(device)}{model}, torch {torch.__version__}"


def _beside(spec: NetworkSpec, setting: LatencySetting, reference: TimedModule) -> Latency:
    ratios, seen = list[float](), list[float]()
    kept = []  # lest the next copy lies where the last one lay
    until = time.monotonic() + MOST_SECONDS
    for _ in range(COPIES):
        network, before = timed_network(spec, setting, reference.device), reference.seconds()
        for _ in range(PAIRS):
            taken, after = network.seconds(), reference.seconds()
            ratios.append(taken / fmean((before, after)))
            seen.append(after)
            before = after
            if time.monotonic() > until:
                break
        kept.append(network)
    low, high = np.quantile(ratios, [0.25, 0.75]).tolist()
    return Latency(ratio=median(ratios), low=low, high=high, reference=median(seen))


def _answer(line: str, setting: LatencySetting, reference: TimedModule) -> dict[str, Any]:
    try:
        return vars(_beside(spec_of(json.loads(line)), setting, reference))
    except GridgenError as error:
        return {"error": str(error), "kind": "network"}
    except RuntimeError as error:
        if not devices.out_of_memory(error):
            raise
        return {"error": "memory ran out where its latency is measured", "kind": "network"}


def main() -> None:
    """Answer a setting, and then networks until there are no more."""
    setting = LatencySetting(**json.loads(sys.stdin.readline()))
    try:
        device = devices.choose_device(setting.device)
        torch.set_num_threads(setting.threads)
        reference = timed_network(REFERENCE, setting, device)
        seconds = median(reference.seconds() for _ in range(PAIRS))
        told = {"machine": machine_name(device), "reference": seconds}
        print(json.dumps(told), flush=True)
    except GridgenError as error:
        print(json.dumps({"error": str(error), "kind": "device"}), flush=True)
        return
    for line in sys.stdin:
        print(json.dumps(_answer(line, setting, reference)), flush=True)


if __name__ == "__main__":
    main()
