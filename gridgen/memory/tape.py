"""A tape: operations as data, with the storages that each allocates, saves and releases.

A tape is recorded by `recording.py` and replayed by `replay.py`. All sizes are in bytes.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TapeValue:
    """A tensor at one moment; written in place, it is another value in the same storage.

    `elements` of `width` bytes each. `trained`: whether a gradient is computed for it.
    """

    number: int
    storage: int
    elements: int
    width: int
    trained: bool

    @property
    def bytes(self) -> int:
        """Bytes of the values alone; the storage of a view may hold more."""
        return self.elements * self.width


@dataclass(frozen=True, slots=True)
class Op:
    """One operation: reads values, writes one, and may keep storages for its backward.

    `makes` are the storages that it allocates, that of `writes` first where it is new. `through`:
    the gradient of what is written is that of what was read, the same tensor. Otherwise every
    trained value read gets a gradient of its own; beside these, `scratch` bytes are allocated
    while the backward runs, and `later` bytes once it has let go of what it kept.
    """

    reads: tuple[TapeValue, ...]
    writes: TapeValue
    makes: tuple[int, ...]
    keeps: tuple[int, ...] = ()
    through: bool = False
    scratch: int = 0
    later: int = 0


@dataclass(frozen=True, slots=True)
class Release:
    """Python lets go of a storage; it stays where an operation keeps it."""

    storage: int


@dataclass(frozen=True, slots=True)
class Span:
    """Events whose operations keep nothing, and which are run again before their backward."""

    events: "tuple[Event, ...]"
    keeps: tuple[int, ...]


Event = Op | Release | Span


@dataclass
class Tape:
    """Events in the order of the forward pass, and the bytes of every storage.

    `given` storages are there before the first event and after the last. `names` counts the names
    that Python has for a storage.
    """

    sizes: list[int] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    values: int = 0
    names: dict[int, int] = field(default_factory=dict)

    def storage(self, size: int) -> int:
        """A new storage of `size` bytes with one name; an operation has to make it."""
        self.sizes.append(size)
        self.names[len(self.sizes) - 1] = 1
        return len(self.sizes) - 1

    def value(self, storage: int, elements: int, width: int, trained: bool = True) -> TapeValue:
        """A new value in `storage`."""
        self.values += 1
        return TapeValue(self.values, storage, elements, width, trained)

    def give(self, elements: int, width: int) -> TapeValue:
        """A value that comes from outside and has no gradient: images, labels."""
        value = self.value(self.storage(elements * width), elements, width, trained=False)
        self.given.append(value.storage)
        return value

    def name(self, value: TapeValue) -> None:
        """Python has one more name for `value`."""
        self.names[value.storage] += 1

    def drop(self, value: TapeValue) -> None:
        """Python lets go of one name for `value`."""
        self.names[value.storage] -= 1
        if self.names[value.storage] == 0:
            self.events.append(Release(value.storage))
