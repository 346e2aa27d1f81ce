"""The networks that are measured to calibrate a device; some are held out of the fit.

A CPU gets small batches. A GPU gets batches that take a share of its memory, so that what grows
with the images stands out from what does not.
"""

from dataclasses import dataclass
from typing import Any, Literal

from gridgen.memory.device.cases import Machine, MemoryCase
from gridgen.memory.device.fitting import largest_batch
from gridgen.spec import GridSpec


@dataclass(frozen=True)
class Planned:
    """A network to be measured: its batch on a CPU, its share of a GPU's memory."""

    spec: dict[str, Any]
    size: int
    batch: int
    share: float
    precision: Literal["fp32", "bf16"] = "fp32"
    held_out: bool = False

    def case(self, machine: Machine) -> MemoryCase:
        """The network to measure; on a GPU with the batch whose training takes the share."""
        spec = GridSpec(classes=19, **self.spec)
        case = MemoryCase(spec=spec, size=self.size, batch=self.batch, precision=self.precision)
        if machine.device == "cpu":
            return case
        return case.but(batch=batch_for(case, self.share * machine.memory))


def batch_for(case: MemoryCase, target: float) -> int:
    """The batch with which training on a GPU takes `target` bytes, or a little less; 1 at least."""

    def training(batch: int) -> int:
        return case.but(batch=batch).counted("cuda").training

    return max(1, largest_batch(training, round(target)))


def fields(streams: int, columns: str, base_channels: int, **others: Any) -> dict[str, Any]:
    """Fields of a spec."""
    return {"streams": streams, "columns": columns, "base_channels": base_channels, **others}


PLAN = (
    Planned(fields(2, "1+1", 4), 256, 2, 1 / 16),
    Planned(fields(1, "3+3", 32), 128, 4, 1 / 8),
    Planned(fields(3, "2+2", 16), 256, 1, 1 / 16, "bf16"),
    Planned(fields(5, "3+3", 16), 32, 2, 1 / 64),
    Planned(fields(5, "1+1", 16), 96, 2, 1 / 32, "bf16"),
    Planned(fields(5, "3+3", 16), 160, 2, 1 / 4),
    Planned(fields(4, "2+2", 16, topology="unet"), 192, 2, 1 / 8, "fp32", held_out=True),
    Planned(fields(5, "3+3", 16), 96, 3, 1 / 3, "bf16", held_out=True),
    Planned(fields(3, "2+2", 12, fusion="concat"), 128, 3, 1 / 32, "fp32", held_out=True),
)
"""Few and many weights, few and many pixels; none of those held out is among those fitted."""
