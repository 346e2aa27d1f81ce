"""Optuna's sampler with a filter: what is over budget or known already is drawn again."""

from collections.abc import Callable, Sequence
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, Trial, TrialState

from gridgen.space import Range
from gridgen.space.choices import ChoiceLabel, Params
from gridgen.study.language.dimensions import Dimension, SearchSpace
from gridgen.study.proposals.distributions import distribution, from_optuna, to_optuna
from gridgen.study.trials import Candidate

ChooseCandidate = Callable[[Params | None], Candidate | None]
"""Takes the point that a sampler proposes, None where there is no sampler, and gives the candidate
to train in its place; None where nothing new is left.
"""


class NothingNew(Exception):  # noqa: N818 - an answer, not an error
    """No candidate is left that meets the budget and was not trained yet."""


class FeasibleSampler(BaseSampler):
    """Proposes whole points: those of `base`, or what `choose` takes instead.

    `chosen` is the candidate of the last proposal.
    """

    def __init__(
        self, base: BaseSampler | None, dimensions: SearchSpace, choose: ChooseCandidate
    ) -> None:
        self.base, self.dimensions, self.choose = base, dimensions, choose
        self.chosen: Candidate | None = None
        self._all = {each.name: distribution(each) for each in dimensions}

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """All dimensions, so that a point is drawn as a whole."""
        return self._all

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The values of the candidate to train. Errors: `NothingNew`."""
        self.chosen = self.choose(self._proposed(study, trial))
        if self.chosen is None:
            raise NothingNew
        named = self.dimensions.named
        return {n: to_optuna(named[n], value) for n, value in self.chosen.params.items()}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, name: str, distribution: BaseDistribution
    ) -> Any:
        """Never asked for, as every point is drawn as a whole."""
        raise AssertionError(name)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """As `base` does."""
        if self.base is not None:
            self.base.before_trial(study, trial)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """As `base` does."""
        if self.base is not None:
            self.base.after_trial(study, trial, state, values)

    def _proposed(self, study: Study, trial: FrozenTrial) -> Params | None:
        if self.base is None:
            return None
        space = self.base.infer_relative_search_space(study, trial)
        values = self.base.sample_relative(study, trial, space)
        point: Params = {}
        for each in self.dimensions:
            if not each.active(point):
                continue
            varies = self._all[each.name]
            if each.name not in values:
                values[each.name] = (
                    to_optuna(each, each.labels()[0])
                    if varies.single()
                    else self.base.sample_independent(study, trial, each.name, varies)
                )
            point[each.name] = from_optuna(each, values[each.name])
        return point


def suggested(trial: Trial, dimensions: SearchSpace) -> Params:
    """The point that a trial is given, as labels. Errors: `NothingNew`."""
    point: Params = {}
    for each in dimensions:
        if each.active(point):
            point[each.name] = _suggested(trial, each)
    return point


def _suggested(trial: Trial, dimension: Dimension) -> ChoiceLabel:
    name, choices = dimension.name, dimension.choices
    if isinstance(choices, Range):
        low, high, step, log = choices.low, choices.high, choices.step, choices.log
        if choices.whole:
            return trial.suggest_int(name, int(low), int(high), step=int(step or 1), log=log)
        return trial.suggest_float(name, low, high, step=step, log=log)
    varies = distribution(dimension)
    if hasattr(varies, "choices"):
        value: Any = trial.suggest_categorical(name, varies.choices)
    else:
        value = trial.suggest_int(name, 0, len(choices) - 1)
    return from_optuna(dimension, value)
