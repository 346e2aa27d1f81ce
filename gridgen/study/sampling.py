"""How a candidate is drawn, and when it is given up: samplers, pruners, and points of a space."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import optuna
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
        "genetic, generations of 16", lambda seed: NSGAIISampler(seed=seed, population_size=16)
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
    return {field: _drawn(trial, field, choices) for field, choices in space.items()}


def _drawn(trial: optuna.Trial, field: str, choices: Choices) -> Any:
    if not isinstance(choices, Range):
        # Optuna stores only plain values, and a choice may be a list or a mapping, hence labels.
        labels = [label(value) for value in choices]
        return dict(zip(labels, choices, strict=True))[trial.suggest_categorical(field, labels)]
    low, high, step, log = choices.low, choices.high, choices.step, choices.log
    if choices.whole:
        return trial.suggest_int(field, int(low), int(high), step=int(step or 1), log=log)
    return trial.suggest_float(field, low, high, step=step, log=log)
