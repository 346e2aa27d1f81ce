"""How a candidate is drawn, and when it is given up: samplers, pruners, and points of a space."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler

from gridgen.space.choices import Choices, Params, Range, Space, label


@dataclass(frozen=True)
class Sampler:
    """A line of `gridgen list samplers`; `make(seed)` is Optuna's sampler."""

    description: str
    make: Callable[[int], BaseSampler]


@dataclass(frozen=True)
class Pruner:
    """A line of `gridgen list pruners`; `make()` is Optuna's pruner."""

    description: str
    make: Callable[[], BasePruner]


SAMPLERS: dict[str, Sampler] = {
    "tpe": Sampler(
        "tree-structured Parzen estimator, multivariate: the default",
        lambda seed: TPESampler(seed=seed),
    ),
    "random": Sampler("every candidate independent", lambda seed: RandomSampler(seed=seed)),
    "nsga2": Sampler(
        "genetic, generations of 16",
        lambda seed: NSGAIISampler(seed=seed, population_size=16),
    ),
}

PRUNERS: dict[str, Pruner] = {
    "none": Pruner("every candidate is trained to the end", NopPruner),
    "median": Pruner(
        "gives up what is below the median at the same epoch, after four trials",
        lambda: MedianPruner(n_startup_trials=4, n_warmup_steps=2),
    ),
    "halving": Pruner("asynchronous successive halving", SuccessiveHalvingPruner),
}


def suggest(trial: optuna.Trial, space: Space) -> Params:
    """Draw a value for every field. The same trial always gives the same values."""
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
    """The distribution that Optuna draws from: numbers of a range, or labels of listed values."""
    # Optuna stores only plain values, and a choice may be a list or a mapping, hence labels.
    if not isinstance(choices, Range):
        return CategoricalDistribution([label(value) for value in choices])
    low, high, step = choices.low, choices.high, choices.step
    if choices.whole:
        return IntDistribution(int(low), int(high), log=choices.log, step=int(step or 1))
    return FloatDistribution(low, high, log=choices.log, step=step)


def value_of(choices: Choices, drawn: Any) -> Any:
    """The value of a choice that Optuna stores as `drawn`."""
    if isinstance(choices, Range):
        return drawn
    return {label(value): value for value in choices}[drawn]
