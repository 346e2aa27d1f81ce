"""Per-device overheads (context, workspace, allocator slack), fitted to a few measurements.

Imports no torch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Any, ClassVar, Self

from pydantic import Field

from gridgen.memory.device.cases import PHASES, Counted, Machine, Measured, MemoryCase, Phase
from gridgen.spec import Document


class CalibrationSample(Document):
    """A case and what it took; `held_out` ones fit nothing and tell the error."""

    kind: ClassVar[str] = "sample"

    case: MemoryCase
    measured: Measured
    held_out: bool = False


class Beside(Document):
    """Bytes that one phase takes beside those that are counted."""

    kind: ClassVar[str] = "beside"

    fixed: int = Field(ge=0, description="Bytes, whatever the network.")
    workspace: float = Field(
        ge=0, description="Bytes for each one that the largest layer reads and writes."
    )


class Constants(Document):
    """Bytes that a device takes beside those that are counted.

    tensors = counted peak + fixed + workspace x the largest layer's input and output
    needed  = outside + slack x tensors
    """

    kind: ClassVar[str] = "constants"

    outside: int = Field(
        ge=0,
        description="Bytes that torch's allocator does not see: a GPU's context; on a CPU the "
        "interpreter and libraries.",
    )
    slack: float = Field(ge=1, description="Bytes that the allocator holds for each in tensors.")
    inference: Beside
    training: Beside

    def beside(self, phase: Phase) -> Beside:
        """The overheads of inference or of training."""
        return self.training if phase == "training" else self.inference


class Calibration(Document):
    """A device's constants, and the measurements that they were fitted to and tried on."""

    kind: ClassVar[str] = "calibration"

    machine: Machine
    constants: Constants
    samples: tuple[CalibrationSample, ...] = Field(min_length=2, strict=False)

    @classmethod
    def fitted(cls, machine: Machine, samples: Sequence[CalibrationSample]) -> Self:
        """The constants of least relative error over all samples that are not held out."""
        return cls(machine=machine, constants=_fit(machine, samples), samples=tuple(samples))

    def tensors(self, counted: Counted, phase: Phase) -> int:
        """Predicted bytes in tensors: on a GPU `torch.cuda.max_memory_allocated`."""
        beside = self.constants.beside(phase)
        return counted.peak(phase) + beside.fixed + round(beside.workspace * counted.largest)

    def needed(self, counted: Counted, phase: Phase) -> int:
        """Predicted bytes of the device's memory."""
        constants = self.constants
        return constants.outside + round(constants.slack * self.tensors(counted, phase))

    def predictions(self) -> tuple["PeakPrediction", ...]:
        """Every measurement beside what arithmetic and the constants say of it."""
        return tuple(found for sample in self.samples for found in self.predicted(sample))

    def predicted(self, sample: CalibrationSample) -> tuple["PeakPrediction", ...]:
        """Predictions for both phases of a measurement, which may be of another calibration."""
        counted = sample.case.counted(self.machine.device)
        return tuple(self._phase(sample, phase, counted) for phase in PHASES)

    def _phase(self, sample: CalibrationSample, phase: Phase, counted: Counted) -> "PeakPrediction":
        measured = sample.measured.peak(phase)
        return PeakPrediction(
            case=sample.case,
            phase=phase,
            held_out=sample.held_out,
            counted=counted.peak(phase),
            tensors=self.tensors(counted, phase),
            needed=self.needed(counted, phase),
            measured_tensors=measured.tensors,
            measured=measured.needed,
        )


@dataclass(frozen=True)
class PeakPrediction:
    """One phase of one case, in bytes: counted, predicted after calibration, and measured.

    `counted` is in tensors alone; `needed` and `measured` are of the device's whole memory.
    Errors are relative to what was measured.
    """

    case: MemoryCase
    phase: Phase
    held_out: bool
    counted: int
    tensors: int
    needed: int
    measured_tensors: int
    measured: int

    @property
    def before(self) -> float:
        """Error of what is counted."""
        return self.counted / self.measured - 1

    @property
    def after(self) -> float:
        """Error after calibration."""
        return self.needed / self.measured - 1

    @property
    def tensors_before(self) -> float:
        """Error of what is counted, in tensors alone."""
        return self.counted / self.measured_tensors - 1

    @property
    def tensors_after(self) -> float:
        """Error after calibration, in tensors alone."""
        return self.tensors / self.measured_tensors - 1

    def as_json(self) -> dict[str, Any]:
        """Plain values, errors among them."""
        plain = {name: getattr(self, name) for name in (*AMOUNTS, *ERRORS)}
        return {
            "case": self.case.complete(),
            "phase": self.phase,
            "held_out": self.held_out,
            **plain,
        }


AMOUNTS = ("counted", "tensors", "needed", "measured_tensors", "measured")
ERRORS = ("before", "after", "tensors_before", "tensors_after")


def worst(errors: Iterable[float]) -> float:
    """The greatest error, whatever its sign."""
    return max(map(abs, errors))


def _fit(machine: Machine, samples: Sequence[CalibrationSample]) -> Constants:
    """Outside and slack are medians; what is beside is of least squares of relative errors."""
    used = [sample for sample in samples if not sample.held_out]
    peaks = [sample.measured.peak(phase) for sample in used for phase in PHASES]
    counts = [sample.case.counted(machine.device) for sample in used]
    return Constants(
        # Medians, since a single process may meet another program on the device.
        outside=round(median(peak.outside for peak in peaks)),
        slack=max(1.0, median(peak.reserved / peak.tensors for peak in peaks)),
        inference=_beside(used, counts, "inference"),
        training=_beside(used, counts, "training"),
    )


def _beside(
    samples: Sequence[CalibrationSample], counts: Sequence[Counted], phase: Phase
) -> Beside:
    """The overheads of one phase; a sample weighs less the larger it is."""
    system, excess = [], []
    for sample, counted in zip(samples, counts, strict=True):
        tensors = sample.measured.peak(phase).tensors
        # Divided by what was measured: least squares of relative errors, not of bytes.
        system.append((1 / tensors, counted.largest / tensors))
        excess.append(1 - counted.peak(phase) / tensors)
    fixed, workspace = non_negative(system, excess)
    return Beside(fixed=round(fixed), workspace=workspace)


def non_negative(system: Sequence[Sequence[float]], wanted: Sequence[float]) -> tuple[float, ...]:
    """Least squares without negative unknowns: the best of those subsets that need none.

    >>> non_negative([[1, 0], [1, 1], [1, 2]], [1.0, 3.0, 5.0])
    (1.0, 2.0)
    >>> non_negative([[1, 0], [1, 1], [1, 2]], [2.0, 2.0, -1.0])
    (1.0, 0.0)
    """
    import numpy as np

    a, b = np.asarray(system, float), np.asarray(wanted, float)
    unknowns = a.shape[1]
    best = np.zeros(unknowns)
    for number in range(1, unknowns + 1):
        # Two unknowns have four subsets: trying all needs no solver of scipy.
        for chosen in map(list, combinations(range(unknowns), number)):
            x = np.zeros(unknowns)
            x[chosen] = np.linalg.lstsq(a[:, chosen], b, rcond=None)[0]
            if x.min() >= 0 and np.linalg.norm(a @ x - b) < np.linalg.norm(a @ best - b):
                best = x
    return tuple(float(value) for value in best.round(9))
