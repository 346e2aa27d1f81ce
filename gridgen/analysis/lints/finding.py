"""What lints say: a finding, and the change that removes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size


@dataclass(frozen=True)
class Fix:
    """A change that removes a finding, in words and for machines.

    `settings` are fields of the spec by dotted names; `size` and `batch` are those to train with.
    All are empty where nothing that can be set removes it.
    """

    words: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    size: Size | None = None
    batch: int | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """The same for the command line, to go after what was given before.

        >>> Fix("", {"units.upsampling": "bilinear"}, batch=16).flags
        ('--set', 'units.upsampling=bilinear', '--batch', '16')
        >>> Fix("", {"topology": "gridnet"}, size=(32, 48)).flags
        ('--as', 'gridnet', '--size', '32x48')
        """
        flags: list[str] = []
        for name, value in self.settings.items():
            named = name == "topology" and isinstance(value, str)
            flags += ["--as", value] if named else ["--set", f"{name}={_yaml(value)}"]
        if self.size is not None:
            flags += ["--size", shape_text(self.size)]
        if self.batch is not None:
            flags += ["--batch", str(self.batch)]
        return tuple(flags)


@dataclass(frozen=True)
class Finding:
    """What one lint found: the fact, the places where it is so, and the change that removes it.

    A place is a connection, a map, `stem`, `head`, a side (`sides.map_1_0`), a stream
    (`stream 2`), a field of the spec, or the `network`.
    """

    lint: str
    places: tuple[str, ...]
    fact: str
    fix: Fix

    def as_json(self) -> dict[str, Any]:
        """Plain words and numbers; `flags` as they follow a command."""
        fix = self.fix
        return {
            "lint": self.lint,
            "places": list(self.places),
            "fact": self.fact,
            "fix": fix.words,
            "settings": dict(fix.settings),
            "size": fix.size and list(fix.size),
            "batch": fix.batch,
            "flags": list(fix.flags),
        }


def _yaml(value: Any) -> str:
    """A value as YAML of one line; words stand bare."""
    return value if isinstance(value, str) else json.dumps(value)
