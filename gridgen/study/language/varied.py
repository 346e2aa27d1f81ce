"""How a field that varies is written: a list, a range, values under a condition, or `every`."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from gridgen.space import Range
from gridgen.spec import Document

EVERY = "every"


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


Wanted = Annotated[
    Annotated[tuple[Any, ...], Field(min_length=1, strict=False)], BeforeValidator(_listed)
]
Conditions = Annotated[
    dict[str, Wanted],
    Field(
        description="The field varies only where each of these fields has the value, or one of "
        "the values, that is given here; elsewhere it is as spec and recipe say.",
    ),
]


class VariedRange(Range):
    """Numbers from low to high, where the conditions hold."""

    kind: ClassVar[str] = "range"

    when: Conditions = Field(default={})


class VariedValues(Document):
    """The values of a list, where the conditions hold."""

    kind: ClassVar[str] = "values"

    values: Annotated[tuple[Any, ...], Field(min_length=1, strict=False)]
    when: Conditions = Field(default={})


def _kind(value: Any) -> str:
    if value == EVERY:
        return EVERY
    if isinstance(value, VariedValues) or (isinstance(value, Mapping) and "values" in value):
        return "values"
    return "range" if isinstance(value, Mapping | Range) else "list"


VariedField = Annotated[
    Annotated[VariedRange, Tag("range")]
    | Annotated[VariedValues, Tag("values")]
    | Annotated[Literal["every"], Tag(EVERY)]
    | Annotated[tuple[Any, ...], Field(min_length=1, strict=False), Tag("list")],
    Discriminator(_kind),
]
