"""The bytes that a network needs to be trained and to predict, counted without building it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import prod

from gridgen.analysis.sizes import SizeLike, as_size, default_size
from gridgen.arguments import checked, checked_fields
from gridgen.grid import Grid, GridLike, as_grid
from gridgen.grid.tracing import Size
from gridgen.memory.min_memory_order import evaluation_program
from gridgen.memory.recording import record_inference, record_training
from gridgen.memory.replay import Replay
from gridgen.memory.setting import FP32, INT64, MOMENTS, Setting
from gridgen.memory.tape import Event, Op, Span
from gridgen.program import compile_program
from gridgen.shown import Shown, ShownRows
from gridgen.text import bytes_text


@dataclass(frozen=True)
class Weights:
    """Trainable values in how many tensors, the largest of them, and bytes of buffers."""

    values: int
    tensors: int
    largest: int
    buffers: int


def weights(grid: Grid) -> Weights:
    """Weights of the whole network, blocks for features beside the image included."""
    sizes = [prod(shape) for _, shape in grid.tensors()]
    # A buffer without dimensions is a counter, which torch stores as a 64-bit integer.
    buffers = sum(FP32 * prod(shape) if shape else INT64 for _, shape in grid.buffers())
    return Weights(sum(sizes), len(sizes), max(sizes, default=0), buffers)


LABELS = {
    "parameters": "parameters",
    "gradients": "gradients",
    "optimizer": "optimizer's state",
    "saved": "saved for backward",
    "peak_training": "peak of training",
    "peak_inference": "peak of inference",
}


@checked_fields
@dataclass(frozen=True, repr=False)
class Memory(Shown):
    """Bytes. The peaks hold all that is there at that moment: parameters, gradients, optimizer and
    running statistics, averages of them, images and labels, activations and what passes through.

    `saved` is what autograd keeps from the forward pass for the backward pass, each storage once;
    parameters and running statistics are left out.
    """

    parameters: int
    gradients: int
    optimizer: int
    saved: int
    peak_training: int
    peak_inference: int

    def rows(self) -> ShownRows:
        """Each amount in three digits."""
        return [(LABELS[name], bytes_text(value)) for name, value in self.as_json().items()]

    def as_json(self) -> dict[str, int]:
        """Plain numbers."""
        return asdict(self)


@checked
def count_memory(
    grid: GridLike, size: SizeLike | None = None, setting: Setting | None = None
) -> Memory:
    """The memory that `grid` needs for images of `size` (height, width) under `setting`.

    A training step as `gridgen train` does it: gradients are kept from step to step, total dropout
    keeps every unit, features beside the image are not given.
    Without a size, as `count`. Errors: `SizeError`.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec(streams=5, columns="3+3", base_channels=16, classes=19)
    >>> needed = count_memory(build_grid(spec), (400, 400), Setting(batch=4))
    >>> f"{needed.peak_training:,} {needed.peak_inference:,}"
    '3,398,249,668 219,200,036'
    """
    grid = as_grid(grid)
    size = as_size(size)
    setting = setting or Setting()
    image = size or default_size(grid.spec)
    held = weights(grid)
    step = training_step(grid, image, setting)
    return Memory(
        parameters=FP32 * held.values,
        gradients=FP32 * held.values,
        optimizer=_state(held, setting),
        saved=step.saved,
        peak_training=_peak_training(held, step, setting),
        peak_inference=inference_memory(grid, image, setting),
    )


def training_memory(grid: Grid, size: Size, setting: Setting) -> int:
    """`Memory.peak_training` alone. Errors: `SizeError`."""
    return _peak_training(weights(grid), training_step(grid, size, setting), setting)


def inference_memory(grid: Grid, size: Size, setting: Setting) -> int:
    """`Memory.peak_inference` alone. Errors: `SizeError`."""
    replay = Replay(record_inference(grid, evaluation_program(grid), size, setting))
    replay.forward(keeping=False)
    held = weights(grid)
    return FP32 * held.values + held.buffers + replay.peak


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes of one training step without the weights: kept for the backward pass, at most, and
    after the backward pass; `largest_layer` is what the largest layer with weights reads and
    writes.
    """

    saved: int
    peak: int
    live: int
    largest_layer: int


@lru_cache(maxsize=64)
def training_step(grid: Grid, size: Size, setting: Setting) -> TrainingMemory:
    """The memory of a training step on images of `size`, recorded once. Errors: `SizeError`."""
    program = compile_program(grid, training=True, recompute=setting.recompute)
    tape, loss = record_training(grid, program, size, setting)
    replay = Replay(tape)
    replay.forward(keeping=True)
    saved = replay.saved
    replay.backward(loss)
    return TrainingMemory(saved, replay.peak, replay.live, _largest_layer(tape.events))


def _largest_layer(events: Iterable[Event]) -> int:
    """Bytes that the largest layer with weights reads and writes; the weights' gradients pass
    through memory beside it.
    """
    largest = 0
    for event in events:
        if isinstance(event, Span):
            largest = max(largest, _largest_layer(event.events))
        elif isinstance(event, Op) and event.scratch:
            largest = max(largest, *(read.bytes + event.writes.bytes for read in event.reads))
    return largest


def _peak_training(held: Weights, step: TrainingMemory, setting: Setting) -> int:
    return resting(held, setting) + max(step.peak, step.live + _update(held, setting))


def resting(held: Weights, setting: Setting) -> int:
    """Bytes between two steps: weights, gradients, the optimizer's state, averages."""
    network = FP32 * held.values + held.buffers
    # Averaged weights copy running statistics too, but need no gradients.
    return network * (1 + setting.averaged) + FP32 * held.values + _state(held, setting)


def _state(held: Weights, setting: Setting) -> int:
    """The optimizer's moments, and Adam's step counters where they are on the device."""
    # Adam counts its steps in a tensor for each weight; unfused on a GPU it lies in host memory.
    counted = setting.optimizer != "sgd" and (setting.fused or setting.device == "cpu")
    return FP32 * (MOMENTS[setting.optimizer] * held.values + held.tensors * counted)


def _update(held: Weights, setting: Setting) -> int:
    """Temporary bytes while parameters are updated.

    Unfused, Adam makes the root of its second moments: of all parameters at once on a GPU, of one
    tensor after the other on a CPU, there together with their quotient.
    """
    if setting.fused or setting.optimizer == "sgd":
        return 0
    return FP32 * held.values if setting.device == "cuda" else 2 * FP32 * held.largest
