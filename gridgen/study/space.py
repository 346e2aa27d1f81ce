"""Search spaces: which spec fields vary, and between what."""

import json
from typing import Any, Self

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import Field, model_validator

from gridgen.errors import SpecError
from gridgen.spec import Document, GridSpec

Number = int | float
Params = dict[str, Any]


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
        return self

    def distribution(self) -> BaseDistribution:
        """Of whole numbers where both ends are."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return IntDistribution(self.low, self.high, log=self.log, step=int(self.step or 1))
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)


def distribution(choices: Range | tuple[Any, ...]) -> BaseDistribution:
    """What Optuna draws from: numbers of a range, or labels of a list's values."""
    if isinstance(choices, Range):
        return choices.distribution()
    return CategoricalDistribution([_label(value) for value in choices])


def value_of(choices: Range | tuple[Any, ...], drawn: Any) -> Any:
    """The value that was drawn, given what Optuna remembers of it."""
    if isinstance(choices, Range):
        return drawn
    return {_label(value): value for value in choices}[drawn]


def suggest(trial: optuna.Trial, space: dict[str, Range | tuple[Any, ...]]) -> Params:
    """A value for every field. Asked again for the same trial, the same values."""
    drawn = {}
    for field, choices in space.items():
        name, kind = field, distribution(choices)
        match kind:
            case CategoricalDistribution():
                value: Any = trial.suggest_categorical(name, kind.choices)
            case IntDistribution():
                value = trial.suggest_int(name, kind.low, kind.high, step=kind.step, log=kind.log)
            case FloatDistribution():
                value = trial.suggest_float(name, kind.low, kind.high, step=kind.step, log=kind.log)
        drawn[field] = value_of(choices, value)
    return drawn


def merged(spec: dict[str, Any], params: Params) -> dict[str, Any]:
    """Fields of a spec with `params` over them; `units.lateral` reaches into `units`."""
    fields = json.loads(json.dumps(spec))
    for name, value in params.items():
        holder = fields
        *path, last = name.split(".")
        for part in path:
            holder = holder.setdefault(part, {})
        holder[last] = value
    return fields  # type: ignore[no-any-return]


def require_valid(spec: dict[str, Any], space: dict[str, Range | tuple[Any, ...]]) -> None:
    """Every choice makes a valid spec beside the first choices of the others.

    Errors: `SpecError` with the field of the choice that does not.
    """
    firsts = {field: _ends(choices)[0][1] for field, choices in space.items()}
    for field, choices in space.items():
        for key, value in _ends(choices):
            try:
                GridSpec.of(**merged(spec, {**firsts, field: value}))
            except SpecError as error:
                raise SpecError(str(error), ("space", field, key)) from error


def _ends(choices: Range | tuple[Any, ...]) -> list[tuple[str | int, Any]]:
    if isinstance(choices, Range):
        return [("low", choices.low), ("high", choices.high)]
    return list(enumerate(choices))


def _label(value: Any) -> str | int | float | bool | None:
    """A value as Optuna can store it."""
    return value if isinstance(value, str | int | float | bool | None) else json.dumps(value)
