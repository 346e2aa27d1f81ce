"""Search spaces: which spec fields vary, and between what."""

import json
from decimal import Decimal
from math import prod
from typing import Any, Self

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import Field, model_validator

from gridgen.errors import SpecError, unknown
from gridgen.grid import require_names
from gridgen.spec import Document, GridSpec
from gridgen.spec.fields import merged

Number = int | float
Params = dict[str, Any]
FieldPath = tuple[str | int, ...]
End = tuple[str | int, Any]
Point = dict[str, End]


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
        low, high, exact = (Decimal(str(number)) for number in (self.low, self.high, step))
        last = high - (high - low) % exact
        if last != high:
            raise ValueError(
                f"high {self.high} is no step of {step} from low {self.low}; the last is {last}"
            )

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole ones: both ends are."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def distribution(self) -> BaseDistribution:
        """What Optuna draws from."""
        if self.whole:
            return IntDistribution(
                int(self.low), int(self.high), log=self.log, step=int(self.step or 1)
            )
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)


Choices = Range | tuple[Any, ...]
Space = dict[str, Choices]


def distribution(choices: Choices) -> BaseDistribution:
    """What Optuna draws from: numbers of a range, or labels of a list's values."""
    if isinstance(choices, Range):
        return choices.distribution()
    return CategoricalDistribution([_label(value) for value in choices])


def value_of(choices: Choices, drawn: Any) -> Any:
    """The value that was drawn, given what Optuna remembers of it."""
    if isinstance(choices, Range):
        return drawn
    return {_label(value): value for value in choices}[drawn]


def size_of(space: Space) -> int | None:
    """Number of points of the space; None where a range has no steps."""
    sizes = [_length(choices) for choices in space.values()]
    return None if None in sizes else prod(size for size in sizes if size is not None)


def _length(choices: Choices) -> int | None:
    if not isinstance(choices, Range):
        return len({_label(value) for value in choices})
    if choices.step is None and not choices.whole:
        return None
    return round((choices.high - choices.low) / (choices.step or 1)) + 1


def suggest(trial: optuna.Trial, space: Space) -> Params:
    """A value for every field. Asked again for the same trial, the same values."""
    drawn = {}
    for field, choices in space.items():
        kind = distribution(choices)
        match kind:
            case CategoricalDistribution():
                value: Any = trial.suggest_categorical(field, kind.choices)
            case IntDistribution():
                value = trial.suggest_int(field, kind.low, kind.high, step=kind.step, log=kind.log)
            case FloatDistribution():
                value = trial.suggest_float(
                    field, kind.low, kind.high, step=kind.step, log=kind.log
                )
        drawn[field] = value_of(choices, value)
    return drawn


def require_valid(spec: dict[str, Any], space: Space) -> None:
    """Every choice makes a valid spec of known names, beside the first choices of the others.

    Errors: `SpecError` with the field of the choice that does not, or of what all share.
    """
    for field in space:
        _require_field(field, space)
    firsts = first_point(space)
    for field, choices in space.items():
        for end in _ends(choices):
            _require_point(spec, {**firsts, field: end})


def first_point(space: Space) -> Point:
    """The first choice of every field."""
    return {field: _ends(choices)[0] for field, choices in space.items()}


def values(point: Point) -> Params:
    """What a point says of each field."""
    return {field: value for field, (_, value) in point.items()}


def relocated(error: SpecError, point: Point) -> SpecError:
    """What is wrong with the spec of `point`, as an error at the study's field that said so."""
    named = ".".join(str(part) for part in error.field)
    fact = str(error).splitlines()[0].removeprefix(f"{named or GridSpec.kind}: ")
    return SpecError(fact, _origin(error.field, point))


def _require_field(field: str, space: Space) -> None:
    first, *path = field.split(".")
    if first not in GridSpec.model_fields:
        raise SpecError(unknown("field of a spec", field, GridSpec.model_fields), ("space", field))
    if path and first in space:
        raise SpecError(f"{first} varies as a whole already; remove one", ("space", field))


def _require_point(spec: dict[str, Any], point: Point) -> None:
    try:
        require_names(GridSpec.of(**merged(spec, values(point))))
    except SpecError as error:
        raise relocated(error, point) from error


def _origin(field: FieldPath, point: Point) -> FieldPath:
    """Where in a study the value of a spec's `field` comes from: a choice, or what all share."""
    for name, (key, _) in point.items():
        path = tuple(name.split("."))
        if field[: len(path)] == path:
            return ("space", name, key, *field[len(path) :])
        if field and field == path[: len(field)]:
            return ("space", name)
    return ("spec", *field)


def _ends(choices: Choices) -> list[End]:
    """Choices to try, each with its key: the ends of a range, every value of a list."""
    if isinstance(choices, Range):
        return [("low", choices.low), ("high", choices.high)]
    return list(enumerate(choices))


def _label(value: Any) -> str | int | float | bool | None:
    """A value as Optuna can store it."""
    return value if isinstance(value, str | int | float | bool | None) else json.dumps(value)
