"""Budgets: limits on what a network may cost, checked by arithmetic before it is built."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Unpack

from pydantic import Field

from gridgen.analysis.counting import paper_parameters
from gridgen.analysis.sizes import MAX_SIDE
from gridgen.arguments import checked
from gridgen.grid import Grid, GridLike, as_grid
from gridgen.space.quantities import BY_FORMULA, QUANTITIES
from gridgen.space.structure_counts import WHOLE_IMAGE
from gridgen.space.workload import AcceptedCosts, Workload
from gridgen.text import ByteAmount, MacAmount, ValueAmount


class Limit(NamedTuple):
    """The largest value that a quantity may have, or the smallest where more of it is better."""

    quantity: str
    value: int

    def over(self, cost: Any) -> Any:
        """Distance of a cost (or an array of them) beyond the limit; not positive within it."""
        return self.value - cost if QUANTITIES[self.quantity].least else cost - self.value

    def met(self, cost: Any) -> Any:
        """Whether a cost, or each cost in an array, is within the limit."""
        return self.over(cost) <= 0

    def excess(self, cost: Any) -> Any:
        """Cost over limit, or limit over cost: above 1 where the limit is broken."""
        return self.value / cost if QUANTITIES[self.quantity].least else cost / self.value

    def broken(self, cost: int) -> str:
        """A sentence that says by what a cost breaks the limit."""
        return QUANTITIES[self.quantity].broken(cost, self.value)


class LimitVerdict(NamedTuple):
    """The cost of a grid beside a limit; `note` names the formula where it is not counted."""

    quantity: str
    cost: int
    limit: int
    within: bool
    note: str = ""

    @property
    def label(self) -> str:
        """The name of the quantity, with spaces."""
        return self.quantity.replace("_", " ")

    @property
    def text(self) -> str:
        """Such as `13,181,097, more than the 10,000,000 allowed (1.32 times)`."""
        quantity = QUANTITIES[self.quantity]
        note = f" {self.note}" if self.note else ""
        over, within = ("less than", "at least") if quantity.least else ("more than", "within")
        limit = f"the {quantity.write(self.limit)} {'wanted' if quantity.least else 'allowed'}"
        times = "" if self._endless else f" ({_times(self.cost / self.limit)})"
        kept = within if self.within else over
        return f"{quantity.exact(self.cost)}{note}, {kept} {limit}{times}"

    @property
    def broken(self) -> str:
        """Such as `13,181,097 parameters are more than 10,000,000 (1.32 times)`."""
        limit = Limit(self.quantity, self.limit)
        note = f", {self.note}" if self.note else ""
        return f"{limit.broken(self.cost)} ({_times(limit.excess(self.cost))}{note})"

    def as_json(self) -> dict[str, Any]:
        """Plain values; None for a receptive field that is the whole image."""
        fields = self._asdict() | ({"cost": None} if self._endless else {})
        return {name: value for name, value in fields.items() if name != "note" or value}

    @property
    def _endless(self) -> bool:
        return self.cost == WHOLE_IMAGE


def _times(ratio: float) -> str:
    return f"{ratio:.2f} times" if ratio < 100 else f"{ratio:,.0f} times"


class Budget(Workload):
    """Limits on costs, all optional. Amounts may be written 500k, 10M, 8GB or 8GiB.

    >>> Budget(parameters="1.5M").limits()
    [Limit(quantity='parameters', value=1500000)]
    """

    kind: ClassVar[str] = "budget"

    if TYPE_CHECKING:  # what is accepted, of which the fields below hold one form

        def __init__(
            self, *, min_receptive_field: int | None = None, **costs: Unpack[AcceptedCosts]
        ) -> None: ...

    parameters: ValueAmount | None = Field(
        default=None, description="At most so many trainable values in the whole network."
    )
    activations: ValueAmount | None = Field(
        default=None, description="At most so many outputs of all layers, for one image."
    )
    macs: MacAmount | None = Field(
        default=None, description="At most so many multiply-accumulates, for one image."
    )
    training_memory: ByteAmount | None = Field(
        default=None, description="At most so many bytes at the peak of a step of training."
    )
    inference_memory: ByteAmount | None = Field(
        default=None, description="At most so many bytes at the peak of a prediction."
    )
    min_receptive_field: int | None = Field(
        default=None,
        ge=1,
        le=MAX_SIDE,
        description="At least so many pixels wide is what one predicted pixel sees.",
    )

    def limits(self) -> list[Limit]:
        """All limits that are set."""
        named = ((name, getattr(self, quantity.field)) for name, quantity in QUANTITIES.items())
        return [Limit(name, value) for name, value in named if value is not None]

    @property
    def limits_memory(self) -> bool:
        """True if training or inference memory is limited."""
        return not (self.training_memory is None and self.inference_memory is None)

    @checked
    def cost(self, grid: GridLike) -> dict[str, int]:
        """The costs of `grid` in each limited quantity, by its name."""
        grid = as_grid(grid)
        return {name: QUANTITIES[name].of(grid, self) for name, _ in self.limits()}

    @checked
    def verdict(self, grid: GridLike) -> list[LimitVerdict]:
        """The cost of `grid` beside each limit."""
        grid, verdicts = as_grid(grid), []
        for limit, cost in zip(self.limits(), self.cost(grid).values(), strict=True):
            within, note = bool(limit.met(cost)), self._note(limit.quantity, grid)
            verdicts.append(LimitVerdict(limit.quantity, cost, limit.value, within, note))
        return verdicts

    def _note(self, quantity: str, grid: Grid) -> str:
        """The formula behind a cost, where the budget asks for the paper's."""
        if self.bound == "exact" or quantity not in BY_FORMULA:
            return ""
        if paper_parameters(grid.spec) is None:
            return "exactly, as the paper has no formula for it"
        pruned = len(grid.connections) < len(grid.full.connections)
        return "by the paper's formula" + (" for the full grid" if pruned else "")

    @checked
    def broken(self, costs: Mapping[str, int]) -> list[str]:
        """A sentence for each limit that the known `costs` break."""
        known = [limit for limit in self.limits() if limit.quantity in costs]
        every = [(limit, costs[limit.quantity]) for limit in known]
        return [limit.broken(cost) for limit, cost in every if not limit.met(cost)]
