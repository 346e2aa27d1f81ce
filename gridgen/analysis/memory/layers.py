"""What each layer does with memory: one `match`, beside `emit/lower.py`, which it mirrors.

What autograd keeps is read from the derivatives that torch documents in `derivatives.yaml`; which
layers autocast computes in what precision, from torch's list of autocast operations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from typing import assert_never

from gridgen.analysis.memory.setting import WIDTH, Setting
from gridgen.analysis.memory.tape import Bytes, Op, Tape, Value
from gridgen.analysis.memory.weights import FP32, INT64
from gridgen.analysis.schedule import ends_in_convolution
from gridgen.grid import Connection
from gridgen.grid.layers import (
    AveragePool,
    BatchNorm,
    Conv,
    Deconv,
    GroupNorm,
    Layer,
    Layers,
    MaxPool,
    MaxUnpool,
    PReLU,
    ReLU,
    Residual,
    Resize,
    Shape,
    SiLU,
    Upsample,
)

FRESH = BatchNorm | GroupNorm | Conv | Deconv | Residual
"""Layers whose output nobody else reads, so that an activation after them works in place."""


@dataclass(frozen=True, slots=True)
class Map:
    """A value and the shape of one image in it."""

    value: Value
    shape: Shape


@dataclass
class Recorder:
    """Writes the operations of layers onto a tape."""

    setting: Setting
    training: bool
    tape: Tape = field(default_factory=Tape)
    cached: list[Value] = field(default_factory=list)
    """Copies of weights that autocast keeps until its end."""

    def given(self, shape: Shape) -> Map:
        """Images or maps of `shape` in fp32 that are there already."""
        return Map(self.tape.give(self.setting.batch * prod(shape), FP32), shape)

    def sequence(self, layers: Layers, x: Map, seen: Map | None = None) -> Map:
        """`nn.Sequential`: each output is let go once the next layer has read it, `x` never.

        What comes out has a name of its own, be it `x` itself.
        """
        if not layers:
            self.tape.name(x.value)
            return x
        y = self.layer(layers[0], x, False, seen)
        for before, layer in pairwise(layers):
            x = y
            y = self.layer(layer, x, isinstance(before, FRESH), seen)
            if y.value.storage != x.value.storage:
                self.tape.drop(x.value)
        return y

    def with_identity(self, connection: Connection, branch: Map, x: Map) -> Map:
        """What a unit made of `x`, and the identity of `x` where the connection adds it."""
        if connection.shortcut is None:
            return branch
        identity = self.sequence(connection.shortcut, x)
        return self.added(branch, identity, branch if ends_in_convolution(connection) else None)

    def layer(self, layer: Layer, x: Map, fresh: bool, seen: Map | None) -> Map:
        """One layer; `fresh` says that nobody else reads `x`."""
        match layer:
            case Conv() | Deconv():
                return self._convolution(layer, x)
            case BatchNorm(channels):
                return self._norm(layer, x, 2 * channels)
            case GroupNorm(_, groups):
                return self._norm(layer, x, 2 * groups * self.setting.batch)
            case ReLU():
                over = self.write_over if fresh else self.new
                return over(x, keeps_output=True)
            case SiLU():
                return self._silu(x, fresh)
            case PReLU():
                return self._prelu(layer, x)
            case MaxPool():
                return self._max_pool(layer, x)
            case MaxUnpool():
                assert seen is not None
                return self._max_unpool(layer, x, seen)
            case AveragePool(bins):
                keeps = () if bins == 1 else (x.value.storage,)  # one bin is torch's mean
                return self.new(x, shape=layer.out(x.shape), keeps=keeps)
            case Upsample():
                return self.new(x, shape=layer.out(x.shape))
            case Resize():
                assert seen is not None
                return self.new(x, shape=(x.shape[0], *seen.shape[1:]))
            case Residual():
                return self._block(layer, x)
        assert_never(layer)

    def new(
        self,
        x: Map,
        *,
        shape: Shape | None = None,
        width: int | None = None,
        keeps: tuple[int, ...] = (),
        keeps_output: bool = False,
        beside: Bytes = None,
        weights: int = 0,
        scratch: Bytes = 0,
        later: Bytes = 0,
        through: bool = False,
    ) -> Map:
        """One operation from `x` to a new storage, keeping also `beside` bytes of its own.

        `weights` is the number of its parameters; their gradients pass through memory.
        """
        tape, shape, width = self.tape, shape or x.shape, width or x.value.width
        elements = self.setting.batch * prod(shape)
        made = [tape.storage(elements * width)]
        if beside is not None:
            made.append(tape.storage(beside))
        keeps = (*keeps, *made[not keeps_output :])
        y = tape.value(made[0], elements, width, trained=x.value.trained or weights > 0)
        scratch = scratch + width * weights
        op = Op((x.value,), y, tuple(made), keeps, through, scratch, later)
        tape.events.append(op)
        return Map(y, shape)

    def write_over(self, x: Map, *, keeps_output: bool = False, beside: Bytes = None) -> Map:
        """One operation in place, keeping its output or `beside` bytes where it has to."""
        value, tape = x.value, self.tape
        y = tape.value(value.storage, value.elements, value.width, value.trained)
        made = () if beside is None else (tape.storage(beside),)
        kept = (value.storage,) if keeps_output else made
        tape.events.append(Op((value,), y, made, kept))
        return Map(y, x.shape)

    def cut(self, x: Map, shape: Shape) -> Map:
        """A view of a part of `x`, with a name of its own; its gradient is as large as `x`."""
        value, elements = x.value, self.setting.batch * prod(shape)
        y = self.tape.value(value.storage, elements, value.width, value.trained)
        self.tape.name(y)
        self.tape.events.append(Op((value,), y, ()))
        return Map(y, shape)

    def joined(self, parts: Sequence[Map]) -> Map:
        """Maps of one size as one, channels after channels; takes their names."""
        tape, (_, height, width) = self.tape, parts[0].shape
        values = [part.value for part in parts]
        wide = max(value.width for value in values)
        elements = sum(value.elements for value in values)
        y = tape.value(tape.storage(elements * wide), elements, wide)
        tape.events.append(Op(tuple(values), y, (y.storage,), through=True))
        for value in values:
            tape.drop(value)
        return Map(y, (sum(part.shape[0] for part in parts), height, width))

    def added(self, x: Map, y: Map, over: Map | None = None) -> Map:
        """The sum of two maps of one shape, written over one of them or new; takes their names."""
        result = self._sum(x, y) if over is None else self._sum_over(x, y, over)
        for part in (x, y):
            if part is not over:
                self.tape.drop(part.value)
        return result

    def _sum(self, x: Map, y: Map) -> Map:
        tape, width = self.tape, max(x.value.width, y.value.width)
        storage = tape.storage(x.value.elements * width)
        trained = x.value.trained or y.value.trained
        total = tape.value(storage, x.value.elements, width, trained)
        tape.events.append(Op((x.value, y.value), total, (storage,), through=True))
        return Map(total, x.shape)

    def _sum_over(self, x: Map, y: Map, over: Map) -> Map:
        value = over.value
        total = self.tape.value(value.storage, value.elements, value.width)
        self.tape.events.append(Op((x.value, y.value), total, (), through=True))
        return Map(total, x.shape)

    def cast(self, x: Map, width: int) -> Map:
        """`x` in another precision, with a name of its own; itself where it has that already."""
        if x.value.width != width:
            return self.new(x, width=width)
        self.tape.name(x.value)
        return x

    def end_autocast(self) -> None:
        """Autocast lets go of the weights that it has cast."""
        for value in self.cached:
            self.tape.drop(value)
        self.cached.clear()

    @property
    def width(self) -> int:
        """Bytes of a value that a convolution computes."""
        return WIDTH[self.setting.precision]

    def _convolution(self, layer: Conv | Deconv, x: Map) -> Map:
        """Keeps its input and its kernel, which autocast copies."""
        biases = layer.bias * layer.channels_out
        kept = self._copy_of(layer.parameters - biases)
        if biases:
            self._copy_of(biases)
        low = self.cast(x, self.width)
        y = self.new(
            low,
            shape=layer.out(x.shape),
            keeps=(low.value.storage, *kept),
            weights=layer.parameters,
            later=(self.width + FP32) * layer.parameters if kept else 0,
        )
        self.tape.drop(low.value)
        return y

    def _copy_of(self, weights: int) -> tuple[int, ...]:
        """The storage of weights in low precision, which autocast keeps until its end.

        None in fp32, where weights are used as they are.
        """
        if self.width == FP32:
            return ()
        storage = self.tape.storage(self.width * weights)
        copy = self.tape.value(storage, weights, self.width, trained=False)
        self.tape.events.append(Op((), copy, (storage,)))
        self.cached.append(copy)
        return (storage,)

    def _norm(self, layer: BatchNorm | GroupNorm, x: Map, statistics: int) -> Map:
        """Keeps its input, and mean and deviation in fp32; in evaluation a BN has no own."""
        single = isinstance(layer, GroupNorm) and self.setting.device == "cuda"
        x = self.cast(x, FP32 if single else x.value.width)
        y = self.new(
            x,
            keeps=(x.value.storage,),
            beside=FP32 * statistics if self.training else None,
            weights=layer.parameters,
        )
        self.tape.drop(x.value)
        return y

    def _silu(self, x: Map, fresh: bool) -> Map:
        """Keeps its input: a copy of it where it is written over."""
        if not fresh:
            return self.new(x, keeps=(x.value.storage,))
        return self.write_over(x, beside=x.value.bytes if self.training else None)

    def _prelu(self, layer: PReLU, x: Map) -> Map:
        """Keeps its input; the gradient of its slopes is as large as that before it is summed."""
        low = self.cast(x, self.width)
        kept = self._copy_of(layer.slopes)
        y = self.new(
            low,
            keeps=(low.value.storage, *kept),
            weights=layer.slopes,
            scratch=low.value.bytes,
            later=(self.width + FP32) * layer.slopes if kept else 0,
        )
        self.tape.drop(low.value)
        return y

    def _max_pool(self, layer: MaxPool, x: Map) -> Map:
        """Keeps its input, and where the maxima were as 64-bit numbers."""
        shape = layer.out(x.shape)
        places = INT64 * self.setting.batch * prod(shape)
        return self.new(x, shape=shape, keeps=(x.value.storage,), beside=places)

    def _max_unpool(self, layer: MaxUnpool, x: Map, seen: Map) -> Map:
        """Finds the maxima of `seen` again and keeps where they were."""
        tape = self.tape
        values = tape.storage(x.value.elements * seen.value.width)
        places = tape.storage(INT64 * x.value.elements)
        found = tape.value(places, x.value.elements, INT64, trained=False)
        tape.events.append(Op((), found, (places, values)))
        shape = layer.out(x.shape)
        y = self.new(x, shape=shape, keeps=(places,))
        tape.drop(found)
        return y

    def _block(self, block: Residual, x: Map) -> Map:
        """The identity first, then the layers, then their sum beside both."""
        identity = self.sequence(block.shortcut, x)
        y = self.sequence(block.layers, x)
        return self.added(y, identity)
