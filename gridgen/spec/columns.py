"""The columns of a grid: the sequence of subsampling and upsampling, and its short form."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema

from gridgen.spec.facts import shown_value

MAX_COLUMNS = 2048

Column = Literal["sub", "up"]


def _expanded(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value
    short = re.fullmatch(r"([0-9]{1,9})\+([0-9]{1,9})", value) if isinstance(value, str) else None
    if short is None:
        raise ValueError(
            f"{shown_value(value)} is neither a list of sub and up nor of the form 3+3"
        )
    sub, up = int(short[1]), int(short[2])
    if sub + up > MAX_COLUMNS:
        raise ValueError(f"{sub + up} columns are more than {MAX_COLUMNS}")
    return ("sub",) * sub + ("up",) * up


Columns = Annotated[
    tuple[Column, ...],
    BeforeValidator(_expanded),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]+\+[0-9]+$"},
                {"type": "array", "items": {"enum": ["sub", "up"]}, "minItems": 1},
            ]
        }
    ),
]


def shorten(columns: tuple[Column, ...]) -> str:
    """The short form of a column sequence: its runs, sub first and at least two, joined by `+`.

    >>> shorten(("sub", "sub", "up", "up")), shorten(("up", "up"))
    ('2+2', '0+2')
    """
    runs: list[int] = [0]
    kind = "sub"
    for column in columns:
        if column != kind:
            kind = column
            runs.append(0)
        runs[-1] += 1
    return "+".join(map(str, runs if len(runs) > 1 else (*runs, 0)))


def as_written(columns: tuple[Column, ...]) -> str | list[Column]:
    """A column sequence as a spec writes it: the short form where that is valid, else a list.

    >>> as_written(("sub", "up", "up")), as_written(("up", "sub", "up"))
    ('1+2', ['up', 'sub', 'up'])
    """
    short = shorten(columns)
    return short if short.count("+") == 1 else list(columns)
