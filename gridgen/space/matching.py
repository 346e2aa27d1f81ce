"""Networks of equal cost: the width at which a spec has a cost, and the widest within a budget.

Topologies are told apart by what they are only where they cost the same. Costs are exact, and grow
with `base_channels`, so the width is found by bisection.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, Unpack

from pydantic import BeforeValidator, Field, model_validator

from gridgen.arguments import checked
from gridgen.errors import SpecError
from gridgen.grid import build_grid
from gridgen.space.budget import Budget
from gridgen.space.quantities import QUANTITIES
from gridgen.space.workload import AcceptedCosts, Workload
from gridgen.spec import GridSpec
from gridgen.spec.gridspec import MAX_CHANNELS
from gridgen.text import ByteAmount, MacAmount, ValueAmount

MATCHED = ("parameters", "activations", "macs", "training_memory", "inference_memory")
"""Quantities that grow with the width."""


def _share(value: Any) -> Any:
    """0.03 of `3 %`; other values are left to pydantic's own check."""
    if not isinstance(value, str):
        return value
    said = re.fullmatch(r"([0-9]{1,2}(?:\.[0-9]{1,6})?) ?%", value)
    return float(said[1]) / 100 if said else value


class Match(Workload):
    """A cost that networks are to have, in one quantity, and how far from it they may be.

    >>> Match(parameters="500k", within="2 %").within
    0.02
    """

    kind: ClassVar[str] = "match"

    if TYPE_CHECKING:  # what is accepted, of which the fields below hold one form

        def __init__(
            self, *, within: float | str = 0.05, **costs: Unpack[AcceptedCosts]
        ) -> None: ...

    parameters: ValueAmount | None = Field(default=None, description="Trainable values.")
    activations: ValueAmount | None = Field(
        default=None, description="Outputs of all layers, for one image."
    )
    macs: MacAmount | None = Field(default=None, description="Multiply-accumulates, for one image.")
    training_memory: ByteAmount | None = Field(
        default=None, description="Bytes at the peak of a step of training."
    )
    inference_memory: ByteAmount | None = Field(
        default=None, description="Bytes at the peak of a prediction."
    )
    within: Annotated[float, BeforeValidator(_share), Field(ge=0, lt=1)] = Field(
        default=0.05,
        description="How far from it, as a share: 0.05, or 5 %. One channel more is a tenth more "
        "of most costs at F0 = 20.",
    )

    @model_validator(mode="after")
    def _one_quantity(self) -> Self:
        given = [name for name in MATCHED if getattr(self, name) is not None]
        if len(given) != 1:
            known = ", ".join(MATCHED)
            raise SpecError(f"{len(given)} costs to meet; give one of {known}", ("match",))
        return self

    @property
    def quantity(self) -> str:
        """The name of the quantity that is met."""
        return next(name for name in MATCHED if getattr(self, name) is not None)

    @property
    def wanted(self) -> int:
        """The cost to meet."""
        return int(getattr(self, self.quantity))


@checked
def matched(spec: GridSpec, match: Match) -> GridSpec:
    """`spec` with the `base_channels` at which it comes nearest to a cost.

    Errors: `SpecError` where no width comes near enough, with the two that come nearest, and for a
    spec whose channels are listed.

    >>> spec = GridSpec(streams=3, columns="2+2", base_channels=8, classes=4, topology="unet")
    >>> matched(spec, Match(parameters=500_000)).base_channels
    23
    """
    _require_width(spec, "a match")

    @cache
    def cost(width: int) -> int:
        grid = build_grid(spec.but(base_channels=width))
        return QUANTITIES[match.quantity].of(grid, match)

    # Channels double from stream to stream.
    widest = MAX_CHANNELS >> (spec.streams - 1)
    width = _last(widest, lambda each: cost(each) <= match.wanted)
    near = [each for each in (width, width + 1) if 1 <= each <= widest]
    best = min(near, key=lambda each: abs(cost(each) - match.wanted))
    if abs(cost(best) - match.wanted) > match.within * match.wanted:
        raise SpecError(_told(spec, match, {each: cost(each) for each in near}), ("match",))
    return spec.but(base_channels=best)


@checked
def widest(spec: GridSpec, budget: Budget) -> GridSpec:
    """`spec` with the greatest `base_channels` that a budget allows.

    Errors: `SpecError` where not even one channel is within it, and for a spec whose channels are
    listed.

    >>> spec = GridSpec(streams=3, columns="2+2", base_channels=8, classes=4, topology="unet")
    >>> widest(spec, Budget(parameters="500k")).base_channels
    22
    """
    _require_width(spec, "the widest")

    def broken(width: int) -> list[str]:
        return budget.broken(budget.cost(build_grid(spec.but(base_channels=width))))

    width = _last(MAX_CHANNELS >> (spec.streams - 1), lambda each: not broken(each))
    if not width:
        raise SpecError(f"{spec.shape}: even with F0 = 1, {'; '.join(broken(1))}", ("budget",))
    return spec.but(base_channels=width)


def _require_width(spec: GridSpec, what: str) -> None:
    if spec.channels is not None:
        fact = f"channels are listed, and {what} varies base_channels"
        raise SpecError(f"{fact}; give base_channels instead", ("channels",))


def _last(most: int, holds: Callable[[int], bool]) -> int:
    """The greatest of 1..`most` for which it holds, as it does for all below; 0 where for none."""
    low, high = 0, 1
    while high <= most and holds(high):
        low, high = high, 2 * high
    high = min(high, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _told(spec: GridSpec, match: Match, costs: dict[int, int]) -> str:
    quantity = QUANTITIES[match.quantity]
    near = ", ".join(f"{width} has {quantity.exact(cost)}" for width, cost in costs.items())
    shape = spec.shape.partition(", F0")[0]
    fact = f"no width of {shape} comes within {match.within:.1%} of "
    return f"{fact}{quantity.write(match.wanted)} {quantity.noun}".rstrip() + f": F0 = {near}"
