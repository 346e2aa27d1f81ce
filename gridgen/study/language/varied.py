"""How a field that varies is written, a list, a range, values under a condition or `every`, and the
dimension that it makes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from os.path import abspath
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from gridgen.grid.subtopologies import subtopologies
from gridgen.space import Range
from gridgen.space.choices import ChoiceLabel, label
from gridgen.spec import Document, GridSpec
from gridgen.spec.facts import shown_value
from gridgen.study.language.dimensions import SPECS, Dimension
from gridgen.training.recipe.supernet import EVERY


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


SeveralValues = Annotated[tuple[Any, ...], Field(min_length=1)]


def _several(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, str) and get_close_matches(value.lower(), [EVERY]):
        raise ValueError(f"{shown_value(value)} is no list of values; did you mean '{EVERY}'?")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    ranged = ", a range such as {low: 2, high: 8}" if number else ""
    fix = f"write a list{ranged}, or move what does not vary out of space"
    raise ValueError(f"{shown_value(value)} is no list of values; {fix}")


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
    | Annotated[
        Annotated[tuple[Any, ...], Field(min_length=1, strict=False)],
        BeforeValidator(_several, json_schema_input_type=SeveralValues),
        Tag("list"),
    ],
    Discriminator(_kind),
]


def named_specs(given: Sequence[str]) -> dict[ChoiceLabel, str]:
    """Networks by name, files by theirs without ending, with as many folders as tell them apart."""
    # Short: labels stand in every trial of a database, and paths differ between machines.
    paths = [Path(abspath(each)).with_suffix("") for each in given]
    for length in range(1, max(len(path.parts) for path in paths) + 1 if paths else 1):
        tails = ["/".join(path.parts[-length:]) for path in paths]
        names = [t if Path(n).suffix else n for t, n in zip(tails, given, strict=True)]
        if len({*names}) == len(names):
            return dict(zip(names, given, strict=True))
    return dict(zip(given, given, strict=True))


def dimensions_of(
    space: Mapping[str, Any], names: Mapping[ChoiceLabel, Any], lattice: Callable[[str], GridSpec]
) -> Iterator[Dimension]:
    """The dimensions of a study: networks by name, if it has any, then the fields of its space.

    `lattice` gives the grid of which a field takes every sub-topology. Errors: `SpecError`.
    """
    if names:
        yield Dimension(SPECS, names, place=(SPECS,))
    for name, varied in space.items():
        place = ("space", name)
        if varied == EVERY:
            known = subtopologies(lattice(name))
            values: Any = {each.name: each.topology.plain() for each in known}
            yield Dimension(name, values, place=place)
        elif isinstance(varied, VariedRange):
            yield Dimension(name, varied, _labels(varied.when), place)
        elif isinstance(varied, VariedValues):
            yield Dimension.listed(name, varied.values, when=_labels(varied.when), place=place)
        else:
            yield Dimension.listed(name, varied, place=place)


def _labels(conditions: Mapping[str, Sequence[Any]]) -> dict[str, tuple[ChoiceLabel, ...]]:
    return {name: tuple(map(label, wanted)) for name, wanted in conditions.items()}
