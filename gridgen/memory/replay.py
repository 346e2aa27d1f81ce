"""Replaying a tape: which storages live when, forward and backward, and how much at most.

The backward pass runs in the exact reverse order of the operations, as autograd's engine does on
one device. A gradient is added in place where nothing else holds the one that is there already.
"""

from dataclasses import dataclass, field, replace

from gridgen.memory.tape import Event, Op, Release, Span, Tape, TapeValue


@dataclass
class Gradient:
    """A gradient's storage: its bytes, and how many hold it."""

    size: int
    holders: int = 0


@dataclass
class Replay:
    """Memory on its way through a tape, in bytes: `live` now, `peak` at most."""

    tape: Tape
    live: int = 0
    peak: int = 0
    holders: dict[int, int] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)
    gradients: dict[int, Gradient] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for storage in self.tape.given:
            self._hold(storage)
        self._note()

    def forward(self, keeping: bool) -> None:
        """Run all events; `keeping`: with autograd, which keeps what its backward needs."""
        for event in self.tape.events:
            self.run(event, keeping)

    @property
    def saved(self) -> int:
        """Bytes that are kept for the backward pass, each storage once."""
        return sum(self.tape.sizes[storage] for storage in self.kept)

    def backward(self, loss: TapeValue) -> None:
        """Run all operations' backward, the last one first, from the gradient of `loss`."""
        self.gradients[loss.number] = Gradient(0, holders=1)
        self._back(tuple(self.tape.events))

    def run(self, event: Event, keeping: bool) -> None:
        """Run one event."""
        match event:
            case Op():
                self._operate(event, keeping)
            case Release(storage):
                self._release(storage)
            case Span():
                for inner in event.events:
                    self.run(inner, keeping=False)
                if keeping:
                    self._keep(event.keeps)

    def _operate(self, op: Op, keeping: bool) -> None:
        for storage in op.makes:
            self._hold(storage)
        self._note()
        # Autograd saves nothing for a result that needs no gradient, such as what follows images.
        if keeping and op.writes.trained:
            self._keep(op.keeps)
        for storage in op.makes:  # nothing but the result has a name in Python
            if storage != op.writes.storage:
                self._release(storage)

    def _keep(self, storages: tuple[int, ...]) -> None:
        for storage in storages:
            self._hold(storage)
            self.kept.add(storage)

    def _back(self, events: tuple[Event, ...]) -> None:
        for event in reversed(events):
            match event:
                case Op() if event.writes.number in self.gradients:
                    self._undo(event)
                case Span():
                    self._again(event)

    def _again(self, span: Span) -> None:
        """Recompute a span up to what is last kept in it, then run its backward."""
        events = _renumbered(span.events, self.tape)
        # torch stops recomputing at the last tensor that the backward pass asks for.
        last = max(i for i, event in enumerate(events) if isinstance(event, Op) and event.keeps)
        for event in events[:last]:
            self.run(event, keeping=True)
        final = events[last]
        assert isinstance(final, Op)
        self._keep(final.keeps)
        self._note()
        for storage in _named(events[:last]):
            self._release(storage)
        self._back(events)
        for storage in span.keeps:  # what it was computed from is there until the end
            self._release(storage)

    def _undo(self, op: Op) -> None:
        """The backward of one operation, and its gradients where they belong."""
        gradient = self.gradients.pop(op.writes.number)
        trained = [value for value in op.reads if value.trained]
        if op.through:
            given = [gradient] * len(trained)
        else:
            given = [self._allocate(value) for value in trained]
        self._note(op.scratch)
        for storage in op.keeps:
            self._release(storage)
        for arriving in given:
            arriving.holders += 1
        self._let_go(gradient)
        self._note(op.later)
        for value, arriving in zip(trained, given, strict=True):
            self._arrive(value, arriving)

    def _arrive(self, value: TapeValue, gradient: Gradient) -> None:
        """Add a gradient that is held once more than it will be to what `value` has so far."""
        before = self.gradients.get(value.number)
        if before is None:
            self.gradients[value.number] = gradient
            return
        # Autograd accumulates in place only where it holds the last reference to a gradient.
        if before.holders > 1:
            total = self._allocate(value)
            total.holders = 1
            self.gradients[value.number] = total
            self._note()
            self._let_go(before)
        self._let_go(gradient)

    def _allocate(self, value: TapeValue) -> Gradient:
        self.live = self.live + value.bytes
        return Gradient(value.bytes)

    def _let_go(self, gradient: Gradient) -> None:
        gradient.holders -= 1
        if gradient.holders == 0:
            self.live = self.live - gradient.size

    def _hold(self, storage: int) -> None:
        held = self.holders.get(storage, 0)
        if held == 0:
            self.live = self.live + self.tape.sizes[storage]
        self.holders[storage] = held + 1

    def _release(self, storage: int) -> None:
        self.holders[storage] -= 1
        if self.holders[storage] == 0:
            self.live = self.live - self.tape.sizes[storage]
            self.kept.discard(storage)

    def _note(self, beside: int = 0) -> None:
        self.peak = max(self.peak, self.live + beside)


def _named(events: tuple[Event, ...]) -> list[int]:
    """Storages made by `events` that Python still has a name for after them."""
    operations = (event for event in events if isinstance(event, Op))
    # An operation in place may make a copy beside it, but its result has its name already.
    named = [each.writes.storage for each in operations if each.writes.storage in each.makes]
    dropped = {event.storage for event in events if isinstance(event, Release)}
    return [storage for storage in named if storage not in dropped]


def _renumbered(events: tuple[Event, ...], tape: Tape) -> tuple[Event, ...]:
    """Copies of `events`, with new storages for all that they make."""
    new: dict[int, int] = {}

    def place(storage: int) -> int:
        return new.get(storage, storage)

    def moved(event: Event) -> Event:
        if isinstance(event, Release):
            return Release(place(event.storage))
        assert isinstance(event, Op)
        for storage in event.makes:
            new[storage] = tape.storage(tape.sizes[storage])
        return replace(
            event,
            writes=replace(event.writes, storage=place(event.writes.storage)),
            makes=tuple(map(place, event.makes)),
            keeps=tuple(map(place, event.keeps)),
        )

    return tuple(moved(event) for event in events)
