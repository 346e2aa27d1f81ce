"""The memory of a step that trains several networks in turn, with one set of weights."""

from collections.abc import Iterable
from math import prod

from gridgen.grid import Grid
from gridgen.grid.tracing import Size
from gridgen.memory.accounting import resting, training_memory, training_step, weights
from gridgen.memory.losses import DISTANCE
from gridgen.memory.setting import FP32, WIDTH, Setting


def supernet_memory(
    whole: Grid, others: Iterable[Grid], size: Size, setting: Setting, distillation: float
) -> int:
    """Peak memory of a step that trains `whole` and then each of its sub-networks, in bytes.

    Weights, gradients and the optimizer's state are those of the whole network alone, and what it
    predicts is kept for the others. Errors: `SizeError`.
    """
    held = weights(whole)
    predicted = setting.batch * whole.spec.classes * prod(size) * WIDTH[setting.precision]
    taught = setting.but(loss=_losses(setting.loss, distillation))
    peaks = [training_memory(whole, size, setting)]
    for each in others:
        # The gradient of a part of a kernel is made in the kernel's size.
        part = FP32 * held.largest if weights(each).largest < held.largest else 0
        step = training_step(each, size, taught)
        peaks.append(resting(held, setting) + predicted + step.peak + part)
    return max(peaks)


def _losses(losses: tuple[str, ...], distillation: float) -> tuple[str, ...]:
    """The losses of a sub-network, by name."""
    labels = losses if distillation < 1 else ()
    return (*labels, DISTANCE) if distillation else labels
