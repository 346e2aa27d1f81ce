"""What the score of a study is held against: costs and further scores, each with its direction."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator

from gridgen.errors import SpecError, unknown
from gridgen.space.quantities import QUANTITIES
from gridgen.study.trials import Direction
from gridgen.training.tasks import objectives

LATENCY = "latency"
"""The cost that is measured, in microseconds, where a study has a section for it."""
COSTS = (*QUANTITIES, LATENCY)


def latency_text(cost: int) -> str:
    """A latency in words.

    >>> latency_text(12_345), latency_text(87)
    ('12.3 ms', '0.087 ms')
    """
    milliseconds = cost / 1000
    return f"{milliseconds:,.0f} ms" if milliseconds >= 100 else f"{milliseconds:.3g} ms"


def natural_direction(name: str) -> Direction:
    """The direction in which a cost or score is better.

    >>> natural_direction("macs"), natural_direction("receptive_field")
    ('minimize', 'maximize')
    """
    more = name in QUANTITIES and QUANTITIES[name].least
    return "minimize" if name in COSTS and not more else "maximize"


# A mapping stands in the kept study, so that a change of what is natural changes no older study.
def _directed(value: Any) -> Any:
    """A mapping of names to directions, where names alone have their natural ones."""
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list | tuple) and all(isinstance(each, str) for each in names):
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"{twice[0]} is named twice; name it once")
        return {name: natural_direction(name) for name in names}
    if not isinstance(value, dict):
        raise ValueError("give names of costs and scores, or a mapping of names to directions")
    return value


AgainstField = Annotated[
    dict[str, Direction],
    BeforeValidator(_directed, json_schema_input_type=str | list[str] | dict[str, Direction]),
]


def require_against(against: Iterable[str], objective: str, timed: bool) -> None:
    """Check the names that a score is held against; `timed`: the study says how latency is
    measured. Errors: `SpecError`.
    """
    for name in against:
        if name == LATENCY and not timed:
            fact = "the study does not say of what; add the section latency: {size: 360x480}"
            raise SpecError(fact, ("against", name))
        if name not in COSTS and name.split(".")[0] not in objectives():
            known = (*COSTS, *objectives())
            raise SpecError(unknown("cost or score", name, known), ("against", name))
        if name == objective:
            raise SpecError("this is the objective itself; remove one", ("against", name))


def offer_objectives(schema: dict[str, Any]) -> None:
    """What an editor is to offer: the objectives of all tasks that there are by then."""
    schema["examples"] = list(objectives())


def further_scores(against: Iterable[str]) -> tuple[str, ...]:
    """Those of them that a training gives; the others are exact before it."""
    return tuple(name for name in against if name not in COSTS)
