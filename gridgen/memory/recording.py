"""Records a program as a tape of allocations, tensors that autograd saves, and releases.

Reads the program that the module interprets. Total dropout keeps every unit, as the step does
that needs most; side features are not given.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from typing import assert_never

from gridgen.analysis.sizes import legal_size
from gridgen.grid import Grid
from gridgen.grid.layers import Shape
from gridgen.grid.tracing import Size
from gridgen.memory.layers import Recorder
from gridgen.memory.losses import record_losses
from gridgen.memory.operations import Map
from gridgen.memory.setting import FP32, INT64, Setting
from gridgen.memory.tape import Op, Span, Tape, TapeValue
from gridgen.program import Program, operations as ops
from gridgen.program.operations import Operation


def record_training(
    grid: Grid, program: Program, size: Size, setting: Setting
) -> tuple[Tape, TapeValue]:
    """A training step's forward pass on images of `size`, and its loss. Errors: `SizeError`."""
    recorder, prediction = _record(grid, program, size, Recorder(setting, training=True))
    labels = recorder.tape.give(setting.batch * prod(size), INT64)
    loss = record_losses(recorder, prediction, labels)
    recorder.end_autocast()
    return recorder.tape, loss


def record_inference(grid: Grid, program: Program, size: Size, setting: Setting) -> Tape:
    """The forward pass of an evaluated network on images of `size`. Errors: `SizeError`."""
    recorder, _ = _record(grid, program, size, Recorder(setting, training=False))
    recorder.end_autocast()
    return recorder.tape


def _record(grid: Grid, program: Program, size: Size, recorder: Recorder) -> tuple[Recorder, Map]:
    """All operations of `program` on images of `size`, and the prediction."""
    recording = recording_of(grid, size, recorder)
    recording.run(program.operations)
    prediction = recording.values[ops.PREDICTION]
    assert prediction is not None
    return recorder, prediction


def recording_of(grid: Grid, size: Size, recorder: Recorder) -> "Recording":
    """A recording that has been given images of `size`, and nothing else. Errors: `SizeError`."""
    recording = Recording(recorder, legal_size(grid.spec, size), grid.spec.size)
    recording.values[ops.IMAGES] = recorder.given((grid.spec.in_channels, *size))
    return recording


@dataclass
class Recording:
    """Writes the operations of a program onto the recorder's tape. Absent values are None."""

    recorder: Recorder
    legal: Size = ()
    policy: str = "error"
    values: dict[str, Map | None] = field(default_factory=dict)

    def run(self, operations: Iterable[Operation]) -> None:
        """Record `operations` in turn."""
        for operation in operations:
            match operation:
                case ops.RunLayers():
                    self._run(operation)
                case ops.Add():
                    self._add(operation)
                case ops.Concatenate(inputs, output):
                    self.values[output] = self.recorder.concatenated(self._all(inputs))
                case ops.Weigh(inputs=inputs, output=output):
                    self.values[output] = self._weighed(self._all(inputs))
                case ops.Free(names):
                    for name in names:
                        self._free(name)
                case ops.Checkpoint():
                    self._checkpoint(operation)
                case ops.FitSize(given, output):
                    self.values[output] = self._sized(self._value(given), self.legal)
                case ops.RestoreSize(given, like, output):
                    size = self._value(like).shape[1:]
                    self.values[output] = self._sized(self._value(given), size)
                case _:
                    assert_never(operation)

    def _value(self, name: str) -> Map:
        value = self.values[name]
        assert value is not None, f"{name} is absent"
        return value

    def _all(self, names: Iterable[str]) -> list[Map]:
        return [self._value(name) for name in names]

    def _run(self, run: ops.RunLayers) -> None:
        x = self.values.get(run.input)  # side features are absent
        auxiliary = None if run.auxiliary is None else self._value(run.auxiliary)
        output = None if x is None else self.recorder.sequence(run.layers, x, auxiliary)
        self.values[run.output] = output

    def _add(self, add: ops.Add) -> None:
        first, second = self._value(add.first), self.values[add.second]
        if second is None:
            self.recorder.tape.name(first.value)
            self.values[add.output] = first
        else:
            over = second if add.in_place else None
            self.values[add.output] = self.recorder.added(second, first, over)

    def _free(self, name: str) -> None:
        value = self.values.pop(name)
        if value is not None:
            self.recorder.tape.drop(value.value)

    def _weighed(self, arrivals: list[Map]) -> Map:
        """Each arrival times its share; these stacked; their sum."""
        recorder = self.recorder
        shares = recorder.shares(len(arrivals))
        weighed = [recorder.scaled(x, shares) for x in arrivals]
        stacked = recorder.concatenated(weighed)
        for x in weighed:
            recorder.tape.drop(x.value)
        fused = recorder.new(stacked, shape=arrivals[0].shape, through=True)
        recorder.tape.drop(stacked.value)
        recorder.tape.drop(shares)
        return fused

    def _checkpoint(self, checkpoint: ops.Checkpoint) -> None:
        """The events inside become a span that is computed again from the inputs.

        Where nothing of it is kept, nothing has to be computed again.
        """
        # Operations inside read and free values by name, as if they stood outside.
        tape, outside = self.recorder.tape, self.values
        given = {name: self._value(name) for name in checkpoint.inputs if outside.get(name)}
        begin = len(tape.events)
        for each in given.values():  # the checkpoint holds what it is given until its end
            tape.name(each.value)
            tape.name(each.value)
        self.values = {**given}
        self.run(checkpoint.operations)
        inside = tuple(tape.events[begin:])
        if any(isinstance(event, Op) and event.keeps for event in inside):
            tape.events[begin:] = [
                Span(inside, tuple(held.value.storage for held in given.values()))
            ]
        inner, self.values = self.values, outside
        outside.update({name: inner.pop(name) for name in checkpoint.outputs})
        for value in (*inner.values(), *given.values()):
            if value is not None:
                tape.drop(value.value)

    def _sized(self, x: Map, size: tuple[int, ...]) -> Map:
        """`x` brought to `size` by the spec's policy, with a name of its own."""
        recorder, before = self.recorder, x.shape[1:]
        shape: Shape = (x.shape[0], *size)
        if before == size:
            recorder.tape.name(x.value)
            return x
        if self.policy == "resize":
            return recorder.new(x, shape=shape)
        if prod(before) > prod(size):
            return recorder.cut(x, shape)
        return self._extended(x, shape)

    def _extended(self, x: Map, shape: Shape) -> Map:
        """`x` with its border repeated; keeps it. Autocast on a CPU does that in fp32."""
        recorder = self.recorder
        # Replication padding is on the list of CPU operations that autocast runs in fp32.
        single = recorder.setting.device == "cpu"
        x = recorder.cast(x, FP32 if single else x.value.width)
        y = recorder.new(x, shape=shape, keeps=(x.value.storage,))
        recorder.tape.drop(x.value)
        return y
