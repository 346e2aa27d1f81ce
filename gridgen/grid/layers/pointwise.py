"""Layers that keep the shape: normalizations and activation functions."""

from dataclasses import dataclass
from typing import Any, ClassVar

from gridgen.arguments import checked_fields
from gridgen.errors import GridError
from gridgen.grid.layers.record import WHOLE, Record, Rows, Tensors

RGB = 3
"""Channels of a colour image."""


@checked_fields
@dataclass(frozen=True, slots=True)
class BatchNorm(Record):
    """Batch normalization with a learnt scale and shift per channel."""

    output_unsaved: ClassVar[bool] = True

    channels: int
    dimensions: int = 2

    @property
    def tensors(self) -> Tensors:
        return _scale_and_shift(self.channels)

    @property
    def buffers(self) -> Tensors:
        statistics = (self.channels,)
        return (
            ("running_mean", statistics),
            ("running_var", statistics),
            ("num_batches_tracked", ()),
        )

    @property
    def words(self) -> str:
        return "BN"

    def output_channels(self, given: int) -> int:
        self._require_channels(self.channels, given)
        return given


@checked_fields
@dataclass(frozen=True, slots=True)
class GroupNorm(Record):
    """Normalization of `groups` groups of channels, with a learnt scale and shift per channel.

    Its mean and variance are those of the whole map, in evaluation too.
    """

    output_unsaved: ClassVar[bool] = True

    channels: int
    groups: int

    def __post_init__(self) -> None:
        if self.groups < 1 or self.channels % self.groups:
            raise GridError(f"{self.channels} channels are not divisible by {self.groups} groups")

    @property
    def tensors(self) -> Tensors:
        return _scale_and_shift(self.channels)

    @property
    def words(self) -> str:
        return "group normalization"

    def output_channels(self, given: int) -> int:
        self._require_channels(self.channels, given)
        return given

    def rows(self, first: Any, last: Any) -> Rows:
        return WHOLE


@checked_fields
@dataclass(frozen=True, slots=True)
class ReLU(Record):
    """Rectified linear unit."""


@checked_fields
@dataclass(frozen=True, slots=True)
class LeakyReLU(Record):
    """ReLU with the fixed slope 0.01 below zero."""


@checked_fields
@dataclass(frozen=True, slots=True)
class GELU(Record):
    """x * Phi(x), Phi the distribution function of the normal distribution."""


@checked_fields
@dataclass(frozen=True, slots=True)
class SiLU(Record):
    """x * sigmoid(x), also called swish."""


@checked_fields
@dataclass(frozen=True, slots=True)
class PReLU(Record):
    """ReLU with a learnt slope below zero: one slope for all channels, or one for each."""

    slopes: int = 1

    @property
    def tensors(self) -> Tensors:
        return (("weight", (self.slopes,)),)

    def output_channels(self, given: int) -> int:
        if self.slopes > 1:
            self._require_channels(self.slopes, given)
        return given


@checked_fields
@dataclass(frozen=True, slots=True)
class ImagenetNorm(Record):
    """Colours minus ImageNet's mean, over its deviation, as weights trained there expect them.

    (3, H, W) with values in [0, 1], red first; the numbers are buffers and are not trained.
    """

    @property
    def buffers(self) -> Tensors:
        return ("mean", (RGB,)), ("deviation", (RGB,))

    @property
    def words(self) -> str:
        return "ImageNet's mean and deviation"

    def output_channels(self, given: int) -> int:
        self._require_channels(RGB, given)
        return given


def _scale_and_shift(channels: int) -> Tensors:
    return ("weight", (channels,)), ("bias", (channels,))
