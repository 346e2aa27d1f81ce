"""What lints look at and what they say: a case, a finding, and the fix that removes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from gridgen.analysis.sizes import counted_size
from gridgen.arguments import checked_fields
from gridgen.errors import UsageError
from gridgen.grid import Grid, build_grid, prune
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size
from gridgen.spec.network import changed

PAPER_BATCH = 4


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
        """The change as flags of the command line, to follow those given before.

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


@checked_fields
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


@dataclass(frozen=True)
class Case:
    """A grid, and the batches of images of one size (height, width) on which it is trained.

    Without a size, the one that `count` counts for. Errors: `UsageError` for a batch below 1.
    """

    grid: Grid
    size: Size | None = None
    batch: int = PAPER_BATCH

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise UsageError(f"batch is {self.batch}; give 1 image at least")

    @cached_property
    def image(self) -> Size:
        """The size that the network works on, by the spec's policy. Errors: `SizeError`."""
        return counted_size(self.grid.spec, self.size)

    def mended(self, fix: Fix) -> "Case":
        """The case after `fix`, with a new grid. Errors: `SpecError`."""
        grid = _rebuilt(self.grid, fix.settings) if fix.settings else self.grid
        return Case(grid, fix.size or self.size, fix.batch or self.batch)


def _rebuilt(grid: Grid, settings: Mapping[str, Any]) -> Grid:
    """The grid with other settings."""
    spec = changed(grid.spec, settings)
    # For a new topology alone the full grid is pruned again, since a drafted grid has no builder.
    if settings.keys() != {"topology"}:
        return build_grid(spec)
    return replace(grid.full, spec=spec) if spec.topology is None else prune(grid, spec.topology)


def _yaml(value: Any) -> str:
    """A value as YAML of one line; strings stand without quotes."""
    return value if isinstance(value, str) else json.dumps(value)
