"""Recording what a network does with memory: the module's forward pass, step by step.

Mirrors `GridNetwork.forward` and the cross-entropy of a training step. Total dropout keeps every
unit, as the step does that needs most; features beside the image are not given.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod

from gridgen.analysis.schedule import Step, by_column, ends_in_convolution, reads
from gridgen.analysis.sizes import legal_size
from gridgen.grid import FeatureMap, Grid
from gridgen.grid.layers import Shape
from gridgen.grid.tracing import Size
from gridgen.memory.layers import Recorder
from gridgen.memory.operations import Map
from gridgen.memory.order import lean
from gridgen.memory.setting import Setting
from gridgen.memory.tape import Op, Span, Tape, Value
from gridgen.memory.weights import FP32, INT64


def record_training(grid: Grid, size: Size, setting: Setting) -> tuple[Tape, Value]:
    """A training step's forward pass on images of `size`, and its loss. Errors: `SizeError`."""
    recording = Recording(grid, Recorder(setting, training=True))
    recorder = recording.recorder
    prediction = recording.forward(size)
    labels = recorder.tape.give(setting.batch * prod(size), INT64)
    loss = _cross_entropy(recorder, prediction, labels)
    recorder.end_autocast()
    return recorder.tape, loss


def record_inference(grid: Grid, size: Size, setting: Setting) -> Tape:
    """The forward pass of an evaluated network on images of `size`. Errors: `SizeError`."""
    recording = Recording(grid, Recorder(setting, training=False))
    recording.forward(size)
    recording.recorder.end_autocast()
    return recording.recorder.tape


def _cross_entropy(recorder: Recorder, prediction: Map, labels: Value) -> Value:
    """In fp32; keeps the logarithms of the probabilities, and the labels."""
    tape = recorder.tape
    single = recorder.cast(prediction, FP32)
    logs = recorder.new(single, keeps_output=True)
    tape.drop(single.value)
    loss = tape.value(tape.storage(FP32), 1, FP32)
    tape.events.append(Op((logs.value,), loss, (loss.storage,), (labels.storage,)))
    tape.drop(logs.value)
    return loss


@dataclass
class Recording:
    """One network's forward pass being written down."""

    grid: Grid
    recorder: Recorder
    maps: dict[FeatureMap, Map] = field(default_factory=dict)

    def forward(self, size: Size) -> Map:
        """From images of `size` to the prediction."""
        recorder, spec, tape = self.recorder, self.grid.spec, self.recorder.tape
        worked_on = legal_size(spec, size)
        images = recorder.given((spec.in_channels, *size))
        fitted = self._sized(images, worked_on)
        logits = self._network(fitted)
        prediction = self._sized(logits, size)
        tape.drop(logits.value)
        tape.drop(fitted.value)
        return prediction

    def _network(self, fitted: Map) -> Map:
        """Stem, grid and head."""
        recorder, grid = self.recorder, self.grid
        stem = recorder.sequence(grid.stem, fitted)
        self._become(grid.input, stem)
        if recorder.training:
            for steps in by_column(grid):
                self._column(steps)
        else:
            self._steps(lean(grid))
        last = self.maps[grid.output]
        logits = recorder.sequence(grid.head, last)
        recorder.tape.drop(last.value)
        return logits

    def _column(self, steps: tuple[Step, ...]) -> None:
        """The maps of one column, whose inside may be computed again in the backward pass."""
        if self.recorder.setting.recompute != "column":
            self._steps(steps)
            return
        outside = dict(self.maps)
        begin = len(self.recorder.tape.events)
        for given in outside.values():  # the checkpoint holds what it is given until its end
            self.recorder.tape.name(given.value)
        self._steps(steps)
        read = {source for step in steps for c in step.arrivals for source in reads(c)}
        self._enclose(begin, [outside[source] for source in sorted(read & outside.keys())])
        for given in outside.values():
            self.recorder.tape.drop(given.value)

    def _enclose(self, begin: int, given: Iterable[Map]) -> None:
        """Make the events from `begin` on a span that is computed again from what is `given`.

        Where nothing of it is kept, nothing has to be computed again.
        """
        events = self.recorder.tape.events
        inside = tuple(events[begin:])
        if any(isinstance(event, Op) and event.keeps for event in inside):
            events[begin:] = [Span(inside, tuple(x.value.storage for x in given))]

    def _steps(self, steps: Iterable[Step]) -> None:
        for step in steps:
            self._become(step.target, self._fuse(step))

    def _become(self, target: FeatureMap, fused: Map) -> None:
        """The feature map `target`, after its own layers."""
        recorder = self.recorder
        self.maps[target] = recorder.sequence(self.grid.fusion_layers(target), fused)
        recorder.tape.drop(fused.value)

    def _fuse(self, step: Step) -> Map:
        match step.join:
            case "concat":
                return self._concat(step)
            case "weighted":
                return self._average(step)
            case "sum":
                return self._sum(step)

    def _sum(self, step: Step) -> Map:
        fused = self._arrive(step, 0)
        for index, connection in enumerate(step.arrivals[1:], 1):
            arrival = self._arrive(step, index)
            alone = ends_in_convolution(connection) and not (
                self.recorder.training and connection.dropout
            )
            fused = self.recorder.added(fused, arrival, over=arrival if alone else None)
        return fused

    def _concat(self, step: Step) -> Map:
        arrivals = [self._arrive(step, index) for index in range(len(step.arrivals))]
        return self.recorder.joined(arrivals)

    def _average(self, step: Step) -> Map:
        """Each arrival times its share; these stacked; their sum."""
        recorder = self.recorder
        arrivals = [self._arrive(step, index) for index in range(len(step.arrivals))]
        shares = [
            recorder.new(x, keeps=(x.value.storage,), scratch=x.value.bytes) for x in arrivals
        ]
        stacked = recorder.joined(shares)
        fused = recorder.new(stacked, shape=arrivals[0].shape, through=True)
        for x in (stacked, *arrivals):
            recorder.tape.drop(x.value)
        return fused

    def _arrive(self, step: Step, index: int) -> Map:
        """What one connection brings; maps that nothing reads any more are freed."""
        recorder, connection = self.recorder, step.arrivals[index]
        x = self.maps[connection.source]
        seen = None if connection.auxiliary is None else self.maps[connection.auxiliary]
        begin = len(recorder.tape.events)
        arrival = recorder.sequence(connection.unit, x, seen)
        if connection.unit and recorder.training and recorder.setting.recompute == "unit":
            self._enclose(begin, [x] if seen is None else [x, seen])
        arrival = recorder.with_identity(connection, arrival, x)
        for done in step.done[index]:
            recorder.tape.drop(self.maps.pop(done).value)
        return arrival

    def _sized(self, x: Map, size: Size) -> Map:
        """`x` brought to `size` by the spec's policy, with a name of its own."""
        recorder, before = self.recorder, x.shape[1:]
        shape = (x.shape[0], *size)
        if before == size:
            recorder.tape.name(x.value)
            return x
        if self.grid.spec.size == "resize":
            return recorder.new(x, shape=shape)
        if prod(before) > prod(size):
            return recorder.cut(x, shape)
        return self._extended(x, shape)

    def _extended(self, x: Map, shape: Shape) -> Map:
        """`x` with its border repeated; keeps it. Autocast on a CPU does that in fp32."""
        recorder = self.recorder
        single = recorder.setting.device == "cpu"
        x = recorder.cast(x, FP32 if single else x.value.width)
        y = recorder.new(x, shape=shape, keeps=(x.value.storage,))
        recorder.tape.drop(x.value)
        return y
