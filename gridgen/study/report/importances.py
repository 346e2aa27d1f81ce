"""Which fields of a space decide whether a candidate is among the best (PED-ANOVA)."""

import math
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from gridgen.space.choices import label
from gridgen.study.trials import TrialRecord

LEAST_TRIALS = 15
"""Scored candidates below which nothing is said: the best must be told from the others."""
LEAST_BEST = 5
BEST_SHARE = 0.1
WIDE = 30
"""Greatest over least value from which on a field is taken to vary by its logarithm."""


def best_share(trials: int) -> float:
    """The share of the candidates that are the best ones: a tenth, and five at least."""
    return max(BEST_SHARE, LEAST_BEST / trials)


def importances(entries: Sequence[TrialRecord]) -> dict[str, float]:
    """The share of each varying field, the most important first.

    Empty for too few candidates, and where all are as good as the best.
    """
    scored = [each for each in entries if each.score is not None]
    found = _distributions(scored)
    if len(scored) < LEAST_TRIALS or not found or not _differ(scored):
        return {}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    for each in scored:
        known = {name: value for name, value in each.candidate.params.items() if name in found}
        study.add_trial(
            create_trial(
                value=each.score,
                params={name: _value(value, found[name]) for name, value in known.items()},
                distributions={name: found[name] for name in known},
            )
        )
    evaluator = PedAnovaImportanceEvaluator(target_quantile=best_share(len(scored)))
    shares = get_param_importances(study, evaluator=evaluator)
    return {name: share for name, share in shares.items() if math.isfinite(share)}


def _differ(entries: Sequence[TrialRecord]) -> bool:
    """Whether the best can be told from the others by their scores."""
    scores = sorted((each.score or 0.0 for each in entries), reverse=True)
    return scores[round(best_share(len(scores)) * len(scores)) - 1] > scores[-1]


def _distributions(entries: Sequence[TrialRecord]) -> dict[str, BaseDistribution]:
    """What each field was seen to vary over; those that never varied are left out."""
    values: dict[str, list[Any]] = {}
    for each in entries:
        for name, value in each.candidate.params.items():
            values.setdefault(name, []).append(value)
    different = {name: list(dict.fromkeys(map(label, seen))) for name, seen in values.items()}
    return {name: _distribution(seen) for name, seen in different.items() if len(seen) > 1}


def _distribution(seen: Sequence[Any]) -> BaseDistribution:
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in seen):
        return CategoricalDistribution(seen)
    low, high = min(seen), max(seen)
    logarithmic = low > 0 and high / low >= WIDE
    if all(isinstance(value, int) for value in seen):
        return IntDistribution(low, high, log=logarithmic)
    return FloatDistribution(float(low), float(high), log=logarithmic)


def _value(value: Any, distribution: BaseDistribution) -> Any:
    return label(value) if isinstance(distribution, CategoricalDistribution) else value
