"""Single operations written onto a tape, as torch carries them out one by one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from gridgen.grid.layers import Shape
from gridgen.memory.setting import FP32, WIDTH, Setting
from gridgen.memory.tape import Op, Tape, TapeValue


@dataclass(frozen=True, slots=True)
class Map:
    """A value and the shape of one image in it."""

    value: TapeValue
    shape: Shape


@dataclass
class Operations:
    """Writes operations under one setting. Each result has a name, which whoever asked drops."""

    setting: Setting
    training: bool
    tape: Tape = field(default_factory=Tape)
    cached: list[TapeValue] = field(default_factory=list)
    """Copies of weights that autocast keeps until its end."""

    def given(self, shape: Shape) -> Map:
        """Images or maps of `shape` in fp32 that are there already."""
        return Map(self.tape.give(self.setting.batch * prod(shape), FP32), shape)

    def new(
        self,
        x: Map,
        *,
        shape: Shape | None = None,
        width: int | None = None,
        keeps: tuple[int, ...] = (),
        keeps_output: bool = False,
        beside: int | None = None,
        weights: int = 0,
        scratch: int = 0,
        later: int = 0,
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
        # An operation that saves its output, as ReLU does, saves the first storage too.
        keeps = (*keeps, *made[not keeps_output :])
        y = tape.value(made[0], elements, width, trained=x.value.trained or weights > 0)
        # torch computes the gradient of the weights before it adds it to `.grad`.
        scratch = scratch + width * weights
        op = Op((x.value,), y, tuple(made), keeps, through, scratch, later)
        tape.events.append(op)
        return Map(y, shape)

    def write_over(self, x: Map, *, keeps_output: bool = False, beside: int | None = None) -> Map:
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

    def concatenated(self, parts: Sequence[Map]) -> Map:
        """Maps of one size as one, channels after channels."""
        tape, (_, *sides) = self.tape, parts[0].shape
        values = [part.value for part in parts]
        wide = max(value.width for value in values)
        elements = sum(value.elements for value in values)
        y = tape.value(tape.storage(elements * wide), elements, wide)
        tape.events.append(Op(tuple(values), y, (y.storage,), through=True))
        return Map(y, (sum(part.shape[0] for part in parts), *sides))

    def added(self, x: Map, y: Map, over: Map | None = None) -> Map:
        """The sum of two maps of one shape, written over one of them or new."""
        return self._sum(x, y) if over is None else self._sum_over(x, y, over)

    def shares(self, number: int) -> TapeValue:
        """The shares of a weighted fusion: ReLU of its weights over their sum and epsilon."""
        tape = self.tape
        positive = self._small((), number, keeps_output=True)
        total = self._small((positive,), 1)
        above_zero = self._small((total,), 1)
        tape.drop(total)
        keeps = positive.storage, above_zero.storage
        shares = self._small((positive, above_zero), number, keeps)
        tape.drop(positive)
        tape.drop(above_zero)
        return shares

    def scaled(self, x: Map, share: TapeValue) -> Map:
        """A map times one of the shares; the share's gradient is summed from a whole map."""
        value, tape = x.value, self.tape
        y = tape.value(tape.storage(value.bytes), value.elements, value.width)
        keeps = value.storage, share.storage
        op = Op((value, share), y, (y.storage,), keeps, scratch=value.bytes)
        tape.events.append(op)
        return Map(y, x.shape)

    def _small(
        self,
        reads: tuple[TapeValue, ...],
        number: int,
        keeps: tuple[int, ...] = (),
        keeps_output: bool = False,
    ) -> TapeValue:
        """An operation on a few numbers in fp32."""
        y = self.tape.value(self.tape.storage(FP32 * number), number, FP32)
        keeps = (*keeps, y.storage) if keeps_output else keeps
        self.tape.events.append(Op(reads, y, (y.storage,), keeps))
        return y

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
        self.tape.name(total)
        self.tape.events.append(Op((x.value, y.value), total, (), through=True))
        return Map(total, x.shape)

    def cast(self, x: Map, width: int) -> Map:
        """`x` in another precision, with a name of its own; itself where it has that already."""
        if x.value.width != width:
            return self.new(x, width=width)
        self.tape.name(x.value)
        return x

    def copy_of(self, weights: int) -> tuple[int, ...]:
        """The storage of weights in low precision, which autocast keeps until its end.

        None in fp32, where weights are used as they are.
        """
        if self.width == FP32:
            return ()
        storage = self.tape.storage(self.width * weights)
        copy = self.tape.value(storage, weights, self.width, trained=False)
        self.tape.events.append(Op((), copy, (storage,)))
        # The weight cache of autocast: a second use of the same weight would find the copy.
        self.cached.append(copy)
        return (storage,)

    def flipped(self, weights: int) -> TapeValue:
        """A copy of weights in the precision that a convolution computes in; of fp32 it is made."""
        tape = self.tape
        copy = tape.value(tape.storage(FP32 * weights), weights, FP32, trained=False)
        tape.events.append(Op((), copy, (copy.storage,)))
        if self.width == FP32:
            return copy
        low = tape.value(tape.storage(self.width * weights), weights, self.width, trained=False)
        tape.events.append(Op((), low, (low.storage,)))
        tape.drop(copy)
        return low

    def end_autocast(self) -> None:
        """Autocast lets go of the weights that it has cast."""
        for value in self.cached:
            self.tape.drop(value)
        self.cached.clear()

    @property
    def width(self) -> int:
        """Bytes of a value that a convolution computes."""
        return WIDTH[self.setting.precision]
