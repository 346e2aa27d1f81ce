"""Drawing a point of a search space with Optuna."""

from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from gridgen.space.choices import Choices, Params, Range, Space, label


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


def distribution(choices: Choices) -> BaseDistribution:
    """What Optuna draws from: numbers of a range, or labels of a list's values."""
    if not isinstance(choices, Range):
        return CategoricalDistribution([label(value) for value in choices])
    low, high, step = choices.low, choices.high, choices.step
    if choices.whole:
        return IntDistribution(int(low), int(high), log=choices.log, step=int(step or 1))
    return FloatDistribution(low, high, log=choices.log, step=step)


def value_of(choices: Choices, drawn: Any) -> Any:
    """The value that was drawn, given what Optuna remembers of it."""
    if isinstance(choices, Range):
        return drawn
    return {label(value): value for value in choices}[drawn]
