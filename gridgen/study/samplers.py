"""Samplers and pruners: how the next candidate is chosen, and when one is given up."""

from collections.abc import Callable
from dataclasses import dataclass

from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler


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
