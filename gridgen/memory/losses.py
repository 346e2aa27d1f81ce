"""The memory of losses: what each keeps for its backward pass, and the most that it needs.

Counted in values of fp32, in which all losses are computed. They are what torch allocates for the
losses of `gridgen.training.recipe`, to which the tests hold them.
"""

from typing import NamedTuple

from gridgen.memory.operations import Map, Operations
from gridgen.memory.setting import CROSS_ENTROPY, FP32
from gridgen.memory.tape import Op, TapeValue


class LossValues(NamedTuple):
    """Values in fp32: so many for each one of the prediction, and for each pixel.

    A pixel's quarter is a mask, of one byte.
    """

    each: int
    pixel: float

    def bytes(self, prediction: Map) -> int:
        """Of a batch that is predicted as `prediction`."""
        elements = prediction.value.elements
        return (
            FP32 * self.each * elements + int(FP32 * self.pixel * elements) // prediction.shape[0]
        )


class LossCost(NamedTuple):
    """What a loss keeps, and the most that its forward and its backward pass need, that included.

    Prediction and labels are left out, and weights of classes, which need as much or one value for
    each pixel more.
    """

    kept: LossValues
    forward: LossValues
    backward: LossValues
    keeps_labels: bool = False

    @classmethod
    def of(cls, *pairs: tuple[int, float], keeps_labels: bool = False) -> "LossCost":
        """The cost, of three pairs."""
        kept, forward, backward = (LossValues(*pair) for pair in pairs)
        return cls(kept, forward, backward, keeps_labels)


DISTANCE = "distance"
"""What a sub-network of a supernet is taught by: cross-entropy from another one's prediction."""
COSTS = {
    DISTANCE: LossCost.of((2, 0), (4, 0), (4, 0)),
    CROSS_ENTROPY: LossCost.of((1, 0), (1, 0.25), (3, 0), keeps_labels=True),
    "focal": LossCost.of((1, 7.25), (1, 10), (3, 3)),
    "dice": LossCost.of((2, 0.25), (6, 0.25), (6, 0)),
}
"""Other losses are counted as cross-entropy."""
SMOOTHED = {
    DISTANCE: COSTS[DISTANCE],
    CROSS_ENTROPY: LossCost.of((1, 0.25), (1, 2), (3, 1), keeps_labels=True),
    "focal": LossCost.of((6, 7.5), (8, 7.5), (9, 7.25)),
    "dice": LossCost.of((2, 0.25), (7, 0.25), (6, 0)),
}
"""The same with smoothed labels."""


def record_losses(recorder: Operations, prediction: Map, labels: TapeValue) -> TapeValue:
    """The sum of the losses of the recorder's setting, in their order."""
    tape, setting = recorder.tape, recorder.setting
    table = SMOOTHED if setting.smoothed else COSTS
    losses = [
        _recorded(recorder, prediction, labels, table.get(name, table[CROSS_ENTROPY]))
        for name in setting.loss
    ]
    if not losses[1:]:
        return losses[0]
    total = tape.value(tape.storage(FP32), 1, FP32)
    tape.events.append(Op(tuple(losses), total, (total.storage,), through=True))
    return total


def _recorded(
    recorder: Operations, prediction: Map, labels: TapeValue, cost: LossCost
) -> TapeValue:
    """One loss as one operation, computed in fp32."""
    tape = recorder.tape
    # Logarithms of bf16 are too coarse; each loss casts the prediction for itself.
    single = recorder.cast(prediction, FP32)
    kept, forward, backward = (values.bytes(prediction) for values in cost[:3])
    loss = tape.value(tape.storage(FP32), 1, FP32)
    made = loss.storage, tape.storage(kept), tape.storage(max(forward - kept, 0))
    # Beside what is kept and the prediction's gradient, which the replay allocates by itself.
    scratch = max(backward - kept - single.value.bytes, 0)
    keeps = (made[1], labels.storage) if cost.keeps_labels else made[1:2]
    tape.events.append(Op((single.value,), loss, made, keeps, scratch=scratch))
    tape.drop(single.value)
    return loss
