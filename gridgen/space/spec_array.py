"""The specs of a search space as an array: one axis for each field that varies.

A quantity that depends on some fields only has length 1 along all other axes; broadcasting combines
quantities without enumerating the space.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, reduce
from math import prod
from operator import attrgetter
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from gridgen.errors import SpecError
from gridgen.space.choices import Choices, Params, Space, members
from gridgen.spec import CustomTopology, GridSpec
from gridgen.spec.document import named
from gridgen.spec.network import merged

Table = NDArray[Any]
Mask = NDArray[np.bool_]
Index = tuple[int, ...]
TitleKey = tuple[str, Any]
MOST_POINTS = 20_000_000

NEUTRAL: dict[str, Any] = {
    "streams": 1,
    "columns": "1+1",
    "base_channels": 1,
    "channels": None,
    "classes": 1,
    "fusion": "sum",
    "side_channels": None,
    "topology": None,
}
"""Values of the fields on which a table does not depend; they fit every value of the others."""


class LooseSpec(GridSpec):
    """A spec whose fields are each checked, but not whether they fit one another."""

    @model_validator(mode="after")
    def _fields_fit(self) -> Self:
        return self


class SpecArray:
    """The specs that share `spec` and take every combination of the values in `space`.

    Errors: `SpecError` for a range without steps, and for more points than memory holds.

    >>> specs = SpecArray({"classes": 2}, {"streams": (1, 2), "base_channels": (4, 8, 12)})
    >>> specs.shape, specs.table(("streams",), lambda spec: spec.multiple).tolist()
    ((2, 3), [[1], [2]])
    """

    def __init__(self, spec: Mapping[str, Any], space: Space) -> None:
        for field, choices in space.items():
            _require_steps(field, choices)
        self.spec = dict(spec)
        self.space = space
        _require_few(space)
        self.values = {field: members(choices) for field, choices in space.items()}

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Number of values of every field that varies."""
        return tuple(len(values) for values in self.values.values())

    @property
    def points(self) -> int:
        """Number of specs."""
        return prod(self.shape)

    def params(self, index: Sequence[int]) -> Params:
        """The values of the point at `index`."""
        return {
            field: values[place]
            for (field, values), place in zip(self.values.items(), index, strict=True)
        }

    def spec_at(self, index: Sequence[int]) -> GridSpec:
        """The spec of the point at `index`. Errors: `SpecError` where its fields do not fit."""
        return GridSpec(**merged(self.spec, self.params(index)))

    def table(self, fields: Iterable[str], entry: Callable[[GridSpec], Any]) -> Table:
        """`entry` of a spec for each choice of `fields`, with neutral values for all others.

        A `SpecError` that it raises becomes the entry. `units.lateral` varies with `units` too.
        """
        fields = tuple(fields)
        touched = {name for name in self.values if _touches(name, fields)}
        axes = {
            name: values if name in touched else (None,) for name, values in self.values.items()
        }
        # Filled entry by entry, because np.array would take apart entries that are tuples.
        made = np.empty([len(values) for values in axes.values()], dtype=object)
        for index in np.ndindex(*made.shape):
            chosen = {
                name: values[place]
                for (name, values), place in zip(axes.items(), index, strict=True)
                if name in touched
            }
            try:
                made[index] = entry(self._probe(fields, chosen))
            except SpecError as error:
                made[index] = error
        return made

    def values_of(self, field: str) -> Table:
        """The values of `field`, or the `SpecError` of one that fits no spec.

        The name of a field has dots where it is one of a group.
        """
        return self.table((field,), attrgetter(field))

    def reads(self, field: str) -> Table:
        """The same, of a field that has to be right at every point. Errors: `SpecError`."""
        made = self.values_of(field)
        require_no_errors(made)
        return made

    def _probe(self, fields: tuple[str, ...], chosen: Params) -> GridSpec:
        """A spec of `chosen`, what all specs share of `fields`, and neutral values."""
        tops = {field.split(".")[0] for field in fields}
        neutral = {name: value for name, value in NEUTRAL.items() if name not in tops}
        shared = {name: value for name, value in self.spec.items() if name in tops}
        # The neutral values of other fields need not fit a single one.
        kind = LooseSpec if len(fields) == 1 else GridSpec
        return kind(**merged(neutral | shared, chosen))


def combined(function: Callable[..., Any], *tables: Table) -> Table:
    """`function` applied to the entries of tables, which are broadcast.

    >>> combined(max, np.array([[1], [5]]), np.array([[2, 3]])).tolist()
    [[2, 3], [5, 5]]
    """
    made: Any = np.frompyfunc(function, len(tables), 1)(*tables)
    return cast(Table, made)


def combined_or_error(function: Callable[..., Any], *tables: Table) -> Table:
    """The same; a `SpecError` that is raised, or is among the entries, becomes the entry."""

    def entry(*entries: Any) -> Any:
        for given in entries:
            if isinstance(given, SpecError):
                return given
        try:
            return function(*entries)
        except SpecError as error:
            return named(error)

    return combined(entry, *tables)


def folded(join: Callable[[Table, Table], Table], tables: Iterable[Table]) -> Table:
    """Tables joined to one: first those of one shape, then from the smallest to the largest.

    So that few of many joins are of the size of the space.
    """
    of_shape: dict[tuple[int, ...], Table] = {}
    for table in tables:
        known = of_shape.get(table.shape)
        of_shape[table.shape] = table if known is None else join(known, table)
    return reduce(join, sorted(of_shape.values(), key=np.size))


def titles(specs: SpecArray) -> Table:
    """The title of each topology: its name, or `custom`, numbered where there are several.

    "" where the topology is invalid.
    """
    keys = specs.table(("topology",), _key)
    known = dict.fromkeys(key for key in keys.flat if isinstance(key, tuple))
    customs = [key for key in known if key[1]]

    def called(key: TitleKey | SpecError) -> str:
        if isinstance(key, SpecError):
            return ""
        return f"{key[0]} {customs.index(key) + 1}" if len(customs) > 1 and key[1] else key[0]

    return combined(called, keys)


def _key(spec: GridSpec) -> TitleKey:
    kept = spec.topology
    return spec.title, (kept.keep, kept.drop) if isinstance(kept, CustomTopology) else None


def require_no_errors(table: Table) -> None:
    """Raise the first `SpecError` that a table holds."""
    for entry in table.flat:
        if isinstance(entry, SpecError):
            raise entry


def _touches(name: str, fields: Iterable[str]) -> bool:
    """Whether the varying field is one of `fields`, a part of one, or contains one."""
    return any(
        name == field or name.startswith(f"{field}.") or field.startswith(f"{name}.")
        for field in fields
    )


def _require_steps(field: str, choices: Choices) -> None:
    if not isinstance(choices, tuple) and choices.continuous:
        fact = f"numbers from {choices.low} to {choices.high} without steps cannot be counted"
        raise SpecError(f"{fact}; give step, or a list of values", ("space", field))


def _require_few(space: Space) -> None:
    sizes = [len(c) if isinstance(c, tuple) else c.size for c in space.values()]
    if prod(sizes) > MOST_POINTS:
        fact = f"{prod(sizes):,} specs, of which {MOST_POINTS:,} at most are counted"
        raise SpecError(f"{fact}; give fewer values, or a larger step", ("space",))
