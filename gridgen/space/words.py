"""What specs of a search space are called, so that different ones are called differently."""

import json
from typing import Any

from gridgen.errors import SpecError
from gridgen.space.choices import Choices, Range, Space, members
from gridgen.space.spec_array import Family, Table, combined
from gridgen.spec import CustomTopology, GridSpec

Key = tuple[str, Any]

SAID = ("streams", "columns", "base_channels", "channels")
"""Fields that a spec's `shape` says."""


def described(spec: GridSpec, space: Space) -> str:
    """Topology and shape of `spec`, and what else tells it from others of `space`.

    >>> spec = GridSpec.of(streams=2, columns="1+1", base_channels=4, classes=3)
    >>> described(spec, {"streams": (2, 3), "units.lateral": ("bottleneck", "residual")})
    'gridnet, 2 streams, 1+1 columns, F0 = 4, units.lateral residual'
    """
    others = [name for name, choices in space.items() if _varies(choices) and _untold(name, spec)]
    said = (f"{name} {value_text(_value(spec, name))}" for name in others)
    return ", ".join((spec.title, spec.shape, *said))


def value_text(value: Any) -> str:
    """A value as YAML reads it."""
    return value if isinstance(value, str) else json.dumps(value)


def titles(family: Family) -> Table:
    """What each topology is called: its name, or `custom`, numbered where there are several.

    "" where it is none.
    """
    keys = family.table(("topology",), _key)
    known = dict.fromkeys(key for key in keys.flat if isinstance(key, tuple))
    customs = [key for key in known if key[1]]

    def called(key: Key | SpecError) -> str:
        if isinstance(key, SpecError):
            return ""
        return f"{key[0]} {customs.index(key) + 1}" if len(customs) > 1 and key[1] else key[0]

    return combined(called, keys)


def _key(spec: GridSpec) -> Key:
    kept = spec.topology
    return spec.title, (kept.keep, kept.drop) if isinstance(kept, CustomTopology) else None


def _varies(choices: Choices) -> bool:
    if isinstance(choices, Range):
        return choices.low != choices.high
    return len(members(choices)) > 1


def _untold(name: str, spec: GridSpec) -> bool:
    """Whether neither title nor shape says what the field does."""
    if name.split(".")[0] == "topology":
        return isinstance(spec.topology, CustomTopology)
    return name not in SAID


def _value(spec: GridSpec, name: str) -> Any:
    value: Any = spec.complete()
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
