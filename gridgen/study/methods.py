"""The methods that a study names: samplers, pruners, and baselines."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
)
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler


@dataclass(frozen=True)
class Sampler:
    """A line of `gridgen list samplers`; `make(seed)` is Optuna's sampler.

    None stands for all points in their order.
    """

    description: str
    make: Callable[[int], BaseSampler] | None
    needs: str = ""

    @property
    def missing(self) -> bool:
        """Whether the package that it needs is not installed."""
        return bool(self.needs) and find_spec(self.needs) is None


@dataclass(frozen=True)
class Pruner:
    """A line of `gridgen list pruners`; `make(epochs)` is Optuna's pruner of trainings so long."""

    description: str
    make: Callable[[int], BasePruner]


SAMPLERS: dict[str, Sampler] = {
    "tpe": Sampler(
        "tree-structured Parzen estimator, multivariate: the default",
        lambda seed: TPESampler(seed=seed),
    ),
    "nsga2": Sampler(
        "genetic, generations of 16", lambda seed: NSGAIISampler(seed=seed, population_size=16)
    ),
    "gp": Sampler(
        "Gaussian process, for few trials that take long; needs scipy",
        lambda seed: GPSampler(seed=seed, warn_independent_sampling=False),
        needs="scipy",
    ),
    "random": Sampler("every candidate independent", lambda seed: RandomSampler(seed=seed)),
    "grid": Sampler("every candidate of the space, in its order", None),
}

PRUNERS: dict[str, Pruner] = {
    "none": Pruner("every candidate is trained to the end", lambda epochs: NopPruner()),
    "median": Pruner(
        "gives up what is below the median at the same epoch, after four trials",
        lambda epochs: MedianPruner(n_startup_trials=4, n_warmup_steps=2),
    ),
    "halving": Pruner(
        "asynchronous successive halving: a quarter goes on past each rung",
        lambda epochs: SuccessiveHalvingPruner(),
    ),
    "hyperband": Pruner(
        "brackets of successive halving, a third goes on, the rungs at other epochs in each",
        lambda epochs: HyperbandPruner(max_resource=epochs),
    ),
}

BASELINES: dict[str, str] = {
    "unet": "the widest U-Net within the budget, of the shapes that vary",
    "random": "as many candidates drawn at random, of which the best counts",
}
