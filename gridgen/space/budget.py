"""Budgets: what a candidate may cost. Decided by arithmetic, before any network is built."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from gridgen.grid import Grid
from gridgen.space.amounts import MOST, Bytes, Macs, Values
from gridgen.space.quantities import QUANTITIES
from gridgen.space.terms import Terms


class Limit(NamedTuple):
    """The most that a quantity may be, or the least where more of it is better."""

    quantity: str
    value: int

    def over(self, cost: Any) -> Any:
        """By how much a cost breaks the limit, of an array each; 0 or less where it does not."""
        return self.value - cost if QUANTITIES[self.quantity].least else cost - self.value

    def met(self, cost: Any) -> Any:
        """Whether a cost keeps to the limit, or which of an array do."""
        return self.over(cost) <= 0

    def excess(self, cost: Any) -> Any:
        """Cost over limit, or limit over cost: above 1 where the limit is broken."""
        return self.value / cost if QUANTITIES[self.quantity].least else cost / self.value

    def broken(self, cost: int) -> str:
        """What is wrong with a cost that breaks the limit."""
        return QUANTITIES[self.quantity].broken(cost, self.value)


class Verdict(NamedTuple):
    """What a grid costs, and whether that is within the limit."""

    quantity: str
    cost: int
    limit: int
    within: bool

    @property
    def words(self) -> str:
        """The quantity in words."""
        return self.quantity.replace("_", " ")

    @property
    def text(self) -> str:
        """Such as `13,181,097, not within at most 10,000,000 parameters (1.32 times)`."""
        quantity = QUANTITIES[self.quantity]
        where = "within" if self.within else "not within"
        times = f"{self.cost / self.limit:.2f} times"
        return f"{self.cost:,}, {where} {quantity.limit(self.limit)} ({times})"


class Budget(Terms):
    """Limits; what is not given is not limited. Amounts may be written 500k, 10M, 8GB or 8GiB.

    >>> Budget.of(parameters="1.5M").limits()
    [Limit(quantity='parameters', value=1500000)]
    """

    kind: ClassVar[str] = "budget"

    parameters: Values | None = Field(
        default=None, description="At most so many trainable values in the whole network."
    )
    activations: Values | None = Field(
        default=None, description="At most so many outputs of all layers, for one image."
    )
    macs: Macs | None = Field(
        default=None, description="At most so many multiply-accumulates, for one image."
    )
    training_memory: Bytes | None = Field(
        default=None, description="At most so many bytes at the peak of a step of training."
    )
    inference_memory: Bytes | None = Field(
        default=None, description="At most so many bytes at the peak of a prediction."
    )
    min_receptive_field: int | None = Field(
        default=None,
        ge=1,
        le=MOST,
        description="At least so many pixels wide is what one predicted pixel sees.",
    )

    def limits(self) -> list[Limit]:
        """The limits that are given."""
        named = ((name, getattr(self, quantity.field)) for name, quantity in QUANTITIES.items())
        return [Limit(name, value) for name, value in named if value is not None]

    def cost(self, grid: Grid) -> dict[str, int]:
        """What `grid` costs, by the name of each limited quantity."""
        return {name: QUANTITIES[name].of(grid, self) for name, _ in self.limits()}

    def verdict(self, grid: Grid) -> list[Verdict]:
        """What `grid` costs beside each limit."""
        costs = self.cost(grid)
        return [
            Verdict(name, costs[name], limit, Limit(name, limit).met(costs[name]))
            for name, limit in self.limits()
        ]

    def broken(self, costs: Mapping[str, int]) -> list[str]:
        """What is wrong with the costs that are known, a line for each limit that they break."""
        known = [limit for limit in self.limits() if limit.quantity in costs]
        every = [(limit, costs[limit.quantity]) for limit in known]
        return [limit.broken(cost) for limit, cost in every if not limit.met(cost)]
