"""The losses of a training, fetched from the device now and then."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gridgen.errors import TrainingError
from gridgen.training import devices

EVERY = 20
"""Steps from one look at the device to the next; each look waits until it is done."""


@dataclass
class Losses:
    """Sums since the last validation and since the last line of steps.csv.

    Losses stay on the device until `fetch`; what is added up, and in which order, does not depend
    on when that happens.
    """

    total: float = 0.0
    steps: int = 0
    recent: list[float] = field(default_factory=list)
    _pending: list[Tensor] = field(default_factory=list)

    def add(self, loss: Tensor) -> None:
        """The loss of a step, this process's share of it."""
        self._pending.append(loss)

    def fetch(self, step: int) -> None:
        """Wait for the device, after `step` steps. Errors: `TrainingError` for no number."""
        if not self._pending:
            return
        stacked = devices.summed(torch.stack(self._pending)) / devices.world_size()
        self._pending.clear()
        values = stacked.tolist()
        for number, value in enumerate(values, step - len(values) + 1):
            if not math.isfinite(value):
                fact = f"The loss is {value} at step {number}"
                raise TrainingError(f"{fact}. Lower learning_rate in the recipe.")
            self.total += value
        self.steps += len(values)
        self.recent += values

    def mean(self) -> float:
        """Since the last validation; begins anew."""
        mean, self.total, self.steps = self.total / max(self.steps, 1), 0.0, 0
        return mean

    def mean_of_recent(self) -> float:
        """Since it was last asked."""
        mean, self.recent = sum(self.recent) / max(len(self.recent), 1), []
        return mean
