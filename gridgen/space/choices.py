"""Search spaces: which fields of a spec vary, and over which values. Samples nothing."""

import json
from decimal import Decimal
from fractions import Fraction
from math import prod
from typing import Any, Self

from pydantic import Field, model_validator

from gridgen.errors import SpecError, unknown
from gridgen.spec import CustomTopology, Document, GridSpec

Number = int | float
Params = dict[str, Any]
FieldPath = tuple[str | int, ...]
ChoiceLabel = str | int | float | bool | None

IN_SHAPE = ("streams", "columns", "base_channels", "channels")
"""Fields that the description of a spec's shape contains."""


class Range(Document):
    """Numbers from `low` to `high`, both included: every `step`-th, or spread by the logarithm."""

    low: Number
    high: Number
    step: Number | None = Field(default=None, gt=0)
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is more than high {self.high}")
        if self.log and (self.step is not None or self.low <= 0):
            raise ValueError("log needs a low above 0 and takes no step")
        if self.step is not None:
            self._require_step(self.step)
        return self

    def _require_step(self, step: Number) -> None:
        if self.whole and not isinstance(step, int):
            raise ValueError(f"step {step} is not a whole number, but low and high are")
        # In binary floats 0.3 is no multiple of 0.1.
        low, high, exact = (Fraction(str(number)) for number in (self.low, self.high, step))
        last = high - (high - low) % exact
        if last != high:
            fact = f"steps of {step} from low {self.low} do not reach high {self.high}"
            told = int(last) if last.denominator == 1 else float(last)
            raise ValueError(f"{fact}; the last is {told}")

    @property
    def whole(self) -> bool:
        """Whether it consists of whole numbers: both ends are."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def continuous(self) -> bool:
        """Whether it cannot be counted, having no steps."""
        return self.step is None and not self.whole

    @property
    def size(self) -> int:
        """Number of values, of a range that can be counted."""
        assert not self.continuous
        low, high, step = (Fraction(str(each)) for each in (self.low, self.high, self.step or 1))
        return int((high - low) / step) + 1

    def numbers(self) -> tuple[Number, ...]:
        """All numbers of a range that can be counted.

        >>> Range(low=0.0, high=0.3, step=0.1).numbers()
        (0.0, 0.1, 0.2, 0.3)
        """
        if self.whole:
            return tuple(range(int(self.low), int(self.high) + 1, int(self.step or 1)))
        low, step = Decimal(str(self.low)), Decimal(str(self.step))
        return tuple(float(low + step * index) for index in range(self.size))


Choices = Range | tuple[Any, ...]
Space = dict[str, Choices]


def members(choices: Choices) -> tuple[Any, ...]:
    """All different values that a field can take, of choices that can be counted."""
    if isinstance(choices, Range):
        return choices.numbers()
    # By label, because a choice may be a list, which cannot be a key.
    return tuple({label(value): value for value in choices}.values())


def size_of(space: Space) -> int | None:
    """Number of points of the space; None where a range has no steps."""
    sizes = [_length(choices) for choices in space.values()]
    return None if None in sizes else prod(size for size in sizes if size is not None)


def _length(choices: Choices) -> int | None:
    if not isinstance(choices, Range):
        return len({label(value) for value in choices})
    return None if choices.continuous else choices.size


def label(value: Any) -> ChoiceLabel:
    """The value itself where it is a word or a number, else its JSON."""
    return value if isinstance(value, str | int | float | bool | None) else json.dumps(value)


def require_fields(space: Space) -> None:
    """Check that only fields of a spec vary, and none both as a whole and in part.

    Errors: `SpecError`.
    """
    for field in space:
        first, *path = field.split(".")
        if first not in GridSpec.model_fields:
            raise SpecError(unknown("spec field", field, GridSpec.model_fields), ("space", field))
        if path and first in space:
            raise SpecError(f"{first} varies as a whole already; remove one", ("space", field))


def described(spec: GridSpec, space: Space) -> str:
    """Topology and shape of `spec`, and whatever else tells it from others of `space`.

    >>> spec = GridSpec(streams=2, columns="1+1", base_channels=4, classes=3)
    >>> described(spec, {"streams": (2, 3), "units.lateral": ("bottleneck", "residual")})
    'gridnet, 2 streams, 1+1 columns, F0 = 4, units.lateral residual'
    """
    others = [name for name, choices in space.items() if _varies(choices) and _untold(name, spec)]
    said = (f"{name} {value_text(_value(spec, name))}" for name in others)
    return ", ".join((spec.title, spec.shape, *said))


def value_text(value: Any) -> str:
    """A value as it is written in YAML."""
    return value if isinstance(value, str) else json.dumps(value)


def short_text(value: Any) -> str:
    """A value as a line that names a candidate has it, numbers with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else value_text(value)


def _varies(choices: Choices) -> bool:
    if isinstance(choices, Range):
        return choices.low != choices.high
    return len(members(choices)) > 1


def _untold(name: str, spec: GridSpec) -> bool:
    """Whether title and shape leave out the value of the field."""
    if name.split(".")[0] == "topology":
        return isinstance(spec.topology, CustomTopology)
    return name not in IN_SHAPE


def _value(spec: GridSpec, name: str) -> Any:
    value: Any = spec.complete()
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
