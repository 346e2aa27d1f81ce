"""Measuring what a network takes of a device's memory, in a fresh process, and calibrating by it.

A step is that of `learner.py`, on random images. Run as a module this is the fresh process: it
reads a case from stdin and writes what it measured to stdout, or {"error", "kind"}, as JSON.
"""

import json
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from gridgen.arguments import checked
from gridgen.emit import GridNetwork
from gridgen.errors import DeviceError, GridgenError, OutOfMemoryError, TrainingError, ending
from gridgen.grid import build_grid
from gridgen.memory.device.calibration import Calibration, CalibrationSample
from gridgen.memory.device.cases import DeviceKind, Machine, Measured, MemoryCase, Peak
from gridgen.memory.device.plan import PLAN
from gridgen.progress import OnProgress, no_progress
from gridgen.training.loop.learner import forward, optimizer_of, update
from gridgen.training.processes import devices
from gridgen.training.processes.allocator import freed_memory_kept
from gridgen.training.processes.precision import autocast
from gridgen.training.recipe import load_recipe
from gridgen.training.tasks import Segmentation

STEPS = 2
"""The first makes Adam's moments; from the second on all steps are alike."""
STATUS = Path("/proc/self/status")
ERRORS = {"device": DeviceError, "memory": OutOfMemoryError, "error": TrainingError}


def machine(device: str = "auto") -> Machine:
    """Name, memory and torch version of a device. Errors: `DeviceError`."""
    return Machine(**_ask({"device": device}))


def measure(case: MemoryCase, device: str = "auto") -> Measured:
    """The peaks of one case. Errors: `DeviceError`, `OutOfMemoryError`, `TrainingError`."""
    return Measured(**_ask({"device": device, "case": case.complete()}))


def _ask(job: dict[str, Any]) -> dict[str, Any]:
    """The answer of a fresh process: this one never touches the device."""
    command = [sys.executable, "-m", "gridgen.training.loop.measurement"]
    done = subprocess.run(
        command, input=json.dumps(job), capture_output=True, text=True, check=False
    )
    if not done.stdout:
        raise TrainingError(f"a measurement ended with {_cause(done.returncode, done.stderr)}")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "error" in answer:
        raise ERRORS[answer["kind"]](answer["error"])
    return answer


def _cause(code: int, said: str) -> str:
    """Why a process has ended."""
    if code < 0:
        return ending(code)
    return f"{ending(code)}: {(said.strip().splitlines() or ['it said nothing'])[-1]}"


class MeasuredLoad:
    """A network on a device, and a batch of random images."""

    def __init__(self, case: MemoryCase, device: torch.device) -> None:
        self.case, self.device = case, device
        self.network = GridNetwork(build_grid(case.spec)).to(device)
        shape = case.batch, case.spec.in_channels, case.size, case.size
        self.images = torch.rand(shape).to(device, memory_format=torch.channels_last)

    @torch.no_grad()
    def predict(self, begin: Callable[[], None]) -> None:
        """Predictions; `begin` is called before each."""
        self.network.eval()
        for _ in range(STEPS):
            begin()
            with autocast(self.device, self.case.precision):
                self.network(self.images)

    def train(self, begin: Callable[[], None]) -> None:
        """Steps of training; `begin` is called before each."""
        case = self.case
        task = Segmentation(("",) * case.spec.classes, ())
        optimizer = optimizer_of(self.network, load_recipe("paper"))
        labels = torch.randint(case.spec.classes, (case.batch, case.size, case.size))
        labels = labels.to(self.device)
        for _ in range(STEPS):
            begin()
            _, loss = forward(self.network, self.images, labels, task, case.precision)
            update(optimizer, loss)
            # Kept until the next step, they would count as a part of its peak.
            del _, loss


def on_cuda(case: MemoryCase, device: torch.device) -> Measured:
    """Measure both phases by the statistics of torch's allocator."""
    load, begin = MeasuredLoad(case, device), partial(torch.cuda.reset_peak_memory_stats, device)
    load.predict(begin)
    inference = _peak_on_cuda(device)
    # Training would seem to reserve what inference had reserved.
    torch.cuda.empty_cache()
    load.train(begin)
    return Measured(inference=inference, training=_peak_on_cuda(device))


def _peak_on_cuda(device: torch.device) -> Peak:
    """Outside of torch is what is taken of the device beside what its allocator holds now."""
    torch.cuda.synchronize(device)
    free, total = torch.cuda.mem_get_info(device)
    return Peak(
        tensors=torch.cuda.max_memory_allocated(device),
        reserved=torch.cuda.max_memory_reserved(device),
        outside=total - free - torch.cuda.memory_reserved(device),
    )


def on_cpu(case: MemoryCase, device: torch.device) -> Measured:
    """Measure both phases by this process's resident memory; training needs more, so it is last."""
    outside = resident("VmRSS")
    load = MeasuredLoad(case, device)
    load.predict(lambda: None)
    inference = resident("VmHWM") - outside
    with freed_memory_kept():  # as a training on a CPU does
        load.train(lambda: None)
    training = resident("VmHWM") - outside
    return Measured(
        inference=Peak(tensors=inference, reserved=inference, outside=outside),
        training=Peak(tensors=training, reserved=training, outside=outside),
    )


def resident(field: str) -> int:
    """Resident bytes of this process: `VmRSS` now, `VmHWM` at most so far. Linux only."""
    if not STATUS.is_file():
        raise DeviceError(f"memory of a CPU is measured on Linux alone; here is {sys.platform}")
    found = re.search(rf"{field}:\s+(\d+) kB", STATUS.read_text())
    assert found is not None
    return int(found.group(1)) * 1024


def described(device: torch.device) -> Machine:
    """The name, the memory and the torch of a device."""
    kind: DeviceKind = "cuda" if device.type == "cuda" else "cpu"
    name = torch.cuda.get_device_name(device) if kind == "cuda" else f"cpu {platform.machine()}"
    plain = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")
    memory = devices.memory_of(device)
    return Machine(name=plain, device=kind, memory=memory, torch=torch.__version__)


def answer(job: dict[str, Any]) -> Machine | Measured:
    """Measure the case that was asked for, or describe the device itself."""
    device = devices.choose_device(job["device"])
    about = described(device)
    if "case" not in job:
        return about
    case = MemoryCase(**job["case"])
    return on_cuda(case, device) if device.type == "cuda" else on_cpu(case, device)


def main() -> None:
    """Answer one job."""
    job = json.loads(sys.stdin.read())
    try:
        print(answer(job).model_dump_json())
    except GridgenError as error:
        kind = "device" if isinstance(error, DeviceError) else "error"
        print(json.dumps({"error": str(error), "kind": kind}))
    except RuntimeError as error:
        if not devices.out_of_memory(error):
            raise
        fact = "memory ran out in a measurement; free the device, or calibrate a larger one"
        print(json.dumps({"error": fact, "kind": "memory"}))


if __name__ == "__main__":
    main()


@checked
def calibrate(device: str = "auto", on_progress: OnProgress = no_progress) -> Calibration:
    """The calibration of a device, which nothing else should use meanwhile. Stores nothing.

    `on_progress` is called for each network. Errors: `DeviceError`, `OutOfMemoryError`,
    `TrainingError` where a measurement fails.
    """
    about, samples = machine(device), []
    for number, planned in enumerate(PLAN):
        on_progress(number, len(PLAN))
        case, held_out = planned.case(about), planned.held_out
        measured = measure(case, device)
        samples.append(CalibrationSample(case=case, measured=measured, held_out=held_out))
    return Calibration.fitted(about, samples)
