"""What a lint looks at."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from gridgen.analysis.lints.finding import Fix
from gridgen.analysis.sizes import counted_size
from gridgen.errors import UsageError
from gridgen.grid import Grid, build_grid, prune
from gridgen.grid.tracing import Size
from gridgen.spec.fields import changed

PAPER_BATCH = 4


@dataclass(frozen=True)
class Case:
    """A grid, and what it is to be trained on: batches of images of one size (height, width).

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
        """The case that `fix` leads to, its grid built again. Errors: `SpecError`."""
        grid = _rebuilt(self.grid, fix.settings) if fix.settings else self.grid
        return Case(grid, fix.size or self.size, fix.batch or self.batch)


def _rebuilt(grid: Grid, settings: Mapping[str, Any]) -> Grid:
    """The grid with other settings; of the topology alone, any full grid can be pruned again."""
    spec = changed(grid.spec, settings)
    if settings.keys() != {"topology"}:
        return build_grid(spec)
    return replace(grid.full, spec=spec) if spec.topology is None else prune(grid, spec.topology)
