"""The methods that a study names: samplers, pruners, and baselines."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler

from gridgen.study.rungs import Halving, Rungs


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
    """A line of `gridgen list pruners`.

    `make(epochs)` is Optuna's pruner of trainings so long, which ends them for good; `halving`
    pauses them instead, and the best go on.
    """

    description: str
    make: Callable[[int], BasePruner] = lambda epochs: NopPruner()
    halving: Halving | None = None

    def rungs(self, epochs: int, every: int) -> Rungs | None:
        """The rungs of trainings so long, validated `every` so many epochs; None without any."""
        if self.halving is None:
            return None
        ladders = self.halving.ladders(epochs, every)
        return Rungs(self.halving.reduction, ladders) if any(ladders) else None


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
    "none": Pruner("every candidate is trained to the end"),
    "median": Pruner(
        "ends for good what is below the median, after four trials and a third of the epochs",
        # In the first epochs the order of networks says little of the order at the end.
        make=lambda epochs: MedianPruner(n_startup_trials=4, n_warmup_steps=epochs // 3),
    ),
    "halving": Pruner(
        "asynchronous successive halving: pauses at each rung, the best quarter goes on",
        halving=Halving(4),
    ),
    "hyperband": Pruner(
        "brackets of successive halving: the best third goes on, some begin at higher rungs",
        halving=Halving(3, brackets=True),
    ),
}

BASELINES: dict[str, str] = {
    "unet": "the widest U-Net within the budget, of the shapes that vary",
    "random": "as many candidates drawn at random, of which the best counts",
}
