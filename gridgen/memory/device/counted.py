"""What arithmetic says of one network: the peaks, and the largest layer beside which to work."""

from dataclasses import dataclass
from typing import Literal, get_args

from gridgen.grid import Grid
from gridgen.grid.tracing import Size
from gridgen.memory.accounting import count_memory, training_step
from gridgen.memory.setting import Setting

Phase = Literal["inference", "training"]
PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass(frozen=True)
class Counted:
    """Bytes: the peak of each phase, and what the largest layer with weights reads and writes."""

    inference: int
    training: int
    largest: int

    def peak(self, phase: Phase) -> int:
        """Of one phase."""
        return self.training if phase == "training" else self.inference


def counted(grid: Grid, size: Size, setting: Setting) -> Counted:
    """Of images of `size` (height, width). Errors: `SizeError`.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec.of(streams=1, columns="1+1", base_channels=4, classes=2))
    >>> counted(grid, (8, 8), Setting()).largest == 4 * (4 + 4) * 8 * 8
    True
    """
    needed = count_memory(grid, size, setting)
    largest = training_step(grid, size, setting).largest_layer
    return Counted(needed.peak_inference, needed.peak_training, largest)
