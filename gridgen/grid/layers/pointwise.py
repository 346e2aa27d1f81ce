"""Layers that keep the shape: normalizations and activation functions."""

from dataclasses import dataclass
from typing import Any

from gridgen.errors import GridError
from gridgen.grid.layers.record import WHOLE, Rows, SameShape


@dataclass(frozen=True, slots=True)
class BatchNorm(SameShape):
    """Batch normalization with a learnt scale and shift per channel."""

    channels: int

    @property
    def parameters(self) -> int:
        return 2 * self.channels


@dataclass(frozen=True, slots=True)
class GroupNorm(SameShape):
    """Normalization of `groups` groups of channels, with a learnt scale and shift per channel.

    Its mean and variance are those of the whole map, in evaluation too.
    """

    channels: int
    groups: int

    def __post_init__(self) -> None:
        if self.groups < 1 or self.channels % self.groups:
            fact = f"{self.groups} groups divide not {self.channels} channels"
            raise GridError(f"{fact}; choose groups that do")

    def reach(self, first: Any, last: Any) -> Rows:
        return WHOLE

    @property
    def parameters(self) -> int:
        return 2 * self.channels


@dataclass(frozen=True, slots=True)
class ReLU(SameShape):
    """Rectifier."""


@dataclass(frozen=True, slots=True)
class SiLU(SameShape):
    """x * sigmoid(x), also called swish."""


@dataclass(frozen=True, slots=True)
class PReLU(SameShape):
    """Rectifier with a learnt slope below zero: one for all channels, or one for each."""

    slopes: int = 1

    @property
    def parameters(self) -> int:
        return self.slopes
