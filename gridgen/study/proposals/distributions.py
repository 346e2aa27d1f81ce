"""SearchSpace of a space as Optuna's distributions, and their labels as Optuna's values."""

from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from gridgen.space import Range
from gridgen.space.choices import ChoiceLabel, Params
from gridgen.study.language.dimensions import Dimension, SearchSpace

MOST_CATEGORIES = 64
"""Labels up to which they are stored with every trial; of more, their number in the list is."""


def distribution(dimension: Dimension) -> BaseDistribution:
    """The distribution of a dimension."""
    choices = dimension.choices
    if not isinstance(choices, Range):
        labels = list(choices)
        if len(labels) > MOST_CATEGORIES:
            return IntDistribution(0, len(labels) - 1)
        return CategoricalDistribution(labels)
    low, high, step, log = choices.low, choices.high, choices.step, choices.log
    if choices.whole:
        return IntDistribution(int(low), int(high), log=log, step=int(step or 1))
    return FloatDistribution(float(low), float(high), log=log, step=step)


def to_optuna(dimension: Dimension, label: ChoiceLabel) -> Any:
    """A label as Optuna has it."""
    listed = _many(dimension)
    return listed.index(label) if listed else label


def from_optuna(dimension: Dimension, value: Any) -> ChoiceLabel:
    """The label that Optuna's value stands for."""
    listed = _many(dimension)
    label: ChoiceLabel = listed[value] if listed else value
    return label


def holds(dimension: Dimension, label: ChoiceLabel) -> bool:
    """Whether a dimension has such a label."""
    varies = distribution(dimension)
    try:
        return varies._contains(varies.to_internal_repr(to_optuna(dimension, label)))
    except (ValueError, TypeError):
        return False


def in_optuna(dimensions: SearchSpace, params: Params) -> dict[str, Any]:
    """The `params` and `distributions` of a point, as a trial of Optuna's has them."""
    every = [(each, params[each.name]) for each in dimensions.among(params)]
    return {
        "params": {each.name: to_optuna(each, label) for each, label in every},
        "distributions": {each.name: distribution(each) for each, _ in every},
    }


def _many(dimension: Dimension) -> list[ChoiceLabel]:
    """The labels of a dimension of which Optuna has the numbers; empty for others."""
    choices = dimension.choices
    many = not isinstance(choices, Range) and len(choices) > MOST_CATEGORIES
    return [*choices] if many and not isinstance(choices, Range) else []
