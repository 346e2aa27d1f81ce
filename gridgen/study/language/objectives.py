"""What the score of a study is held against: costs and further scores, each with its direction."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from gridgen.errors import SpecError, unknown
from gridgen.space.quantities import QUANTITIES
from gridgen.study.trials import Direction
from gridgen.training.tasks import objectives


def natural_direction(name: str) -> Direction:
    """The direction in which a cost or score is better.

    >>> natural_direction("macs"), natural_direction("receptive_field")
    ('minimize', 'maximize')
    """
    return "minimize" if name in QUANTITIES and not QUANTITIES[name].least else "maximize"


def _directed(value: Any) -> Any:
    """A mapping of names to directions, where names alone have their natural ones."""
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list | tuple) and all(isinstance(each, str) for each in names):
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"{twice[0]} is named twice; name it once")
        return {name: natural_direction(name) for name in names}
    return value


AgainstField = Annotated[
    dict[str, Direction],
    BeforeValidator(_directed, json_schema_input_type=str | list[str] | dict[str, Direction]),
]


def require_against(against: Iterable[str], objective: str) -> None:
    """Check the names that a score is held against. Errors: `SpecError`."""
    for name in against:
        if name not in QUANTITIES and name.split(".")[0] not in objectives():
            known = (*QUANTITIES, *objectives())
            raise SpecError(unknown("cost or score", name, known), ("against", name))
        if name == objective:
            raise SpecError("this is the objective itself; remove one", ("against", name))


def further_scores(against: Mapping[str, Direction]) -> tuple[str, ...]:
    """Those of them that a training gives; the others are exact before it."""
    return tuple(name for name in against if name not in QUANTITIES)
