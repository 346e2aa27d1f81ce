"""Predicted memory against what a device really takes: before calibration and after.

    python -m benchmarks.memory_gpu                              # calibrates first
    python -m benchmarks.memory_gpu --calibration FILE_OR_NAME   # of gridgen calibrate
    python -m benchmarks.memory_gpu --device cpu                 # small, by resident memory

One network a row, trained in a process of its own; none of them is among those that calibrate. On a
GPU the batch takes from 0.5 to 40 GB by arithmetic, what does not fit is left out, and the truth is
`torch.cuda.max_memory_allocated`; `device` is all that is taken of the GPU, context and cache too.
On a CPU it is the process's resident memory, where the interpreter and torch's libraries count.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gridgen.errors import GridgenError, OutOfMemoryError
from gridgen.memory.device.calibration import Calibration, Prediction, Sample, worst
from gridgen.memory.device.cases import MemoryCase
from gridgen.memory.device.plan import batch_for, fields
from gridgen.memory.device.stored import load_device
from gridgen.spec import GridSpec
from gridgen.training.loop.measurement import calibrate, machine, measure

GB = 10**9
FREE = 0.9
"""Share of a GPU's memory that a prediction may take to be tried."""


@dataclass(frozen=True)
class Trial:
    spec: dict[str, Any]
    size: int
    target: float
    precision: str = "fp32"
    cpu_size: int = 64
    cpu_batch: int = 1

    def case(self, device: str) -> MemoryCase:
        """On a GPU the batch that takes `target` GB."""
        cpu = device == "cpu"
        case = MemoryCase(
            spec=GridSpec(classes=19, **self.spec),
            size=self.cpu_size if cpu else self.size,
            batch=self.cpu_batch,
            precision=self.precision,
        )
        return case if cpu else case.but(batch=batch_for(case, self.target * GB))


TRIALS = (
    Trial(fields(2, "2+2", 8), 256, 0.5, cpu_size=128, cpu_batch=2),
    Trial(fields(5, "3+3", 16), 400, 1, cpu_size=224),
    Trial(fields(5, "3+3", 16), 400, 2, "bf16", cpu_size=128, cpu_batch=2),
    Trial(fields(5, "3+3", 16), 400, 4, cpu_size=400),
    Trial(fields(5, "4+4", 16, topology="unet"), 400, 4, cpu_size=160),
    Trial(fields(5, "4+4", 16, topology="frrn"), 400, 8, "bf16", cpu_size=160, cpu_batch=2),
    Trial(fields(4, "3+3", 24, fusion="concat"), 320, 6, cpu_size=96),
    Trial(fields(3, "3+3", 32, units={"upsampling": "bilinear"}), 256, 10, cpu_size=96),
    Trial(fields(5, "2+2", 32), 512, 12, cpu_size=96),
    Trial(fields(5, "3+3", 16, topology="resnet"), 400, 16, cpu_size=192, cpu_batch=3),
    Trial(fields(4, "2+2", 48), 384, 20, "bf16", cpu_size=96),
    Trial(fields(5, "5+5", 16), 400, 24, cpu_size=96, cpu_batch=2),
    Trial(fields(5, "3+3", 64), 400, 30, "bf16", cpu_size=32),
    Trial(fields(5, "3+3", 16), 1024, 40, cpu_size=256, cpu_batch=2),
)


def samples(calibration: Calibration, device: str) -> Iterator[Sample]:
    """Each trial that fits, measured; the others in a line on stderr."""
    about = calibration.machine
    for trial in TRIALS:
        case = trial.case(about.device)
        if calibration.needed(case.counted(about.device), "training") > FREE * about.memory:
            print(f"left out, too large: {case.words}", file=sys.stderr)
            continue
        try:
            yield Sample(case=case, measured=measure(case, device), held_out=True)
        except OutOfMemoryError:
            print(f"left out, memory ran out: {case.words}", file=sys.stderr)


def row(found: Prediction) -> str:
    """In MB; the errors are of tensors alone, then of all memory."""
    mega = [found.counted, found.tensors, found.measured_tensors, found.needed, found.measured]
    errors = [found.tensors_before, found.tensors_after, found.after]
    cells = [found.case.words, found.phase]
    cells += [f"{value / 10**6:,.0f}" for value in mega[:3]]
    cells += [f"{error:+.1%}" for error in errors[:2]]
    cells += [f"{value / 10**6:,.0f}" for value in mega[3:]] + [f"{errors[2]:+.1%}"]
    return f"| {' | '.join(cells)} |"


HEADS = (
    *("network", "phase", "counted", "calibrated", "measured", "error before", "after"),
    *("device, calibrated", "device, measured", "error"),
)


def print_table(calibration: Calibration, device: str) -> list[Prediction]:
    print(f"| {' | '.join(HEADS)} |\n|---|---|{'---:|' * (len(HEADS) - 2)}")
    found = []
    for sample in samples(calibration, device):
        for prediction in calibration.predicted(sample):
            found.append(prediction)
            print(row(prediction), flush=True)
    return found


def print_errors(found: list[Prediction]) -> None:
    for phase in ("training", "inference"):
        of = [prediction for prediction in found if prediction.phase == phase]
        before = worst(prediction.tensors_before for prediction in of)
        after = worst(prediction.tensors_after for prediction in of)
        whole = worst(prediction.after for prediction in of)
        print(f"{phase}: wrong by {before:.1%} at most before, {after:.1%} after; ", end="")
        print(f"of the device's whole memory by {whole:.1%}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--calibration", help="a device or file of gridgen calibrate")
    options = parser.parse_args()
    try:
        about = machine(options.device)
        named = options.calibration
        calibration = load_device(named) if named else calibrate(options.device)
        print(f"{about.name}, {about.memory / GB:.1f} GB, torch {about.torch}; MB\n", flush=True)
        found = print_table(calibration, options.device)
    except GridgenError as error:
        print(error, file=sys.stderr)
        return 2
    print()
    print_errors(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
