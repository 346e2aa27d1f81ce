"""Budgets: what a candidate may cost. Decided by arithmetic, before any network is built."""

from typing import Annotated, Literal

from pydantic import Field

from gridgen.analysis import Count, count
from gridgen.analysis.sizes import MAX_SIDE, PAPER_SIZE, larger_size
from gridgen.grid import Grid
from gridgen.spec import Document

Limit = int | None
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]


class Budget(Document):
    """Upper limits; what is not given is not limited."""

    parameters: Limit = Field(default=None, ge=1, description="Trainable values, whole network.")
    activations: Limit = Field(default=None, ge=1, description="Outputs of all layers, one image.")
    macs: Limit = Field(default=None, ge=1, description="Multiply-accumulates, one image.")
    size: tuple[Side, Side] = Field(
        default=PAPER_SIZE,
        strict=False,
        description="Height and width of the image that activations and macs are counted for, "
        "rounded up to what a candidate's streams need.",
    )
    bound: Literal["exact", "paper"] = Field(
        default="exact",
        description="Compare exact counts, or the paper's approximations (section 3.2), which "
        "know no topology and are about a quarter too low for parameters.",
    )

    def cost(self, grid: Grid) -> dict[str, int]:
        """What `grid` costs, by the name of each limited quantity."""
        counted = self.count(grid)
        costs = _exact(counted) if self.bound == "exact" else _paper(counted)
        return {name: costs[name] for name, _ in self.limits()}

    def count(self, grid: Grid) -> Count:
        """Exact counts of `grid` at the size of the budget."""
        return count(grid, larger_size(grid.spec, self.size))

    def limits(self) -> list[tuple[str, int]]:
        """The limits that are given."""
        named = (
            ("parameters", self.parameters),
            ("activations", self.activations),
            ("macs", self.macs),
        )
        return [(name, limit) for name, limit in named if limit is not None]


def _exact(counted: Count) -> dict[str, int]:
    return {
        "parameters": counted.parameters.total,
        "activations": counted.activations.total,
        "macs": counted.macs.total,
    }


def _paper(counted: Count) -> dict[str, int]:
    """The approximations where they have a value (channels double), exact counts elsewhere."""
    costs = _exact(counted)
    if counted.parameters.paper is not None:
        costs["parameters"] = counted.parameters.paper
    if counted.activations.paper is not None:
        costs["activations"] = counted.activations.paper
    return costs
