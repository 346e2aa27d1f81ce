"""FRRN A and B: a residual lane at full resolution beside a pooling stream."""

from typing import Literal

from pydantic import Field

from gridgen.architectures.blocks import normed
from gridgen.grid import Architecture, Draft, Grid
from gridgen.grid.draft import Place
from gridgen.grid.fusions import CONCAT
from gridgen.grid.layers import BatchNorm, Conv, Layers, MaxPool, Residual, Upsample

STAGES = {
    "frrn-a": ((1, 2, 3), (2, 4, 4), (3, 8, 2), (4, 8, 2), (3, 4, 2), (2, 4, 2), (1, 2, 2)),
    "frrn-b": (
        *((1, 2, 3), (2, 4, 4), (3, 8, 2), (4, 8, 2), (5, 8, 2)),
        *((4, 4, 2), (3, 4, 2), (2, 4, 2), (1, 2, 2)),
    ),
}
"""Stream, channels in multiples of the base, and units of each stage (table 1)."""


class Frrn(Architecture):
    """Pohlen, Hermans, Mathias, Leibe: Full-resolution residual networks, CVPR 2017, table 1.

    Keeps of the grid: stream 0 with its identity, one stream per resolution below it, sums along
    stream 0. Adds: a full-resolution residual unit (FRRU) per column, which reads the lane
    max-pooled at once to its own resolution, concatenates, and writes back a 1 x 1 convolution,
    repeated to full size; three residual units before and three after. Left out: nothing.

    Parameters with 3 channels to 19 classes. An FRRU from P to C channels has 9 (P + 32) C + 9 C^2
    + 36 C + 32; A, with P to C in multiples of 48: 1 to 2 155,552; 2 to 2 3 * 197,024; 2 to 4
    559,904; 4 to 4 6 * 725,792; 4 to 8 2,115,104; 8 to 8 3 * 2,778,656; 8 to 4 1,057,568; 4 to 2
    279,968; together 17,449,888. Before: 5 x 5 3,600 + BN 96, units 3 * 41,664, the split
    1,536 + BN 64 = 130,288. After: 82,368 with the projection of 128 to 48, 2 * 41,664, classes
    931 = 166,627. In all 17,746,803; B has two more of 8 to 8 and two of 4 to 4, 24,755,699. The
    biases (the write-back and the classes) and the BN of the split are those of the authors' code.
    """

    architecture: Literal["frrn-a", "frrn-b"]
    base_channels: int = Field(default=48, ge=1, le=512, description="Channels at full size.")
    lane_channels: int = Field(default=32, ge=1, le=512, description="Channels of the lane.")

    @property
    def multiple(self) -> int:
        """Every stream halves the map."""
        return 1 << max(stream for stream, _, _ in STAGES[self.architecture])

    def fill(self) -> Grid:
        """Column 1 splits off the lane; every column from 2 on is one FRRU."""
        base, lane = self.base_channels, self.lane_channels
        draft = Draft()
        split = Conv(base, lane, kernel=1, bias=False), BatchNorm(lane)
        draft.connect((0, 0), (0, 1), split)
        before, channels, column = (0, 0), base, 1
        for stream, factor, units in STAGES[self.architecture]:
            for _ in range(units):
                column += 1
                resampled = _resampling(before[0], stream)
                draft.connect(before, (stream, column), resampled)
                before = stream, column
                self._unit(draft, before, channels, factor * base)
                channels = factor * base
        draft.connect((0, column), (0, column + 1))
        draft.connect(before, (0, column + 1), _resampling(before[0], 0))
        draft.fuse((0, column + 1), CONCAT)
        stem = normed(Conv(self.in_channels, base, kernel=5, bias=False))
        return draft.grid(
            self,
            stem=(*stem, *(_residual(base, base),) * 3),
            head=(
                _residual(channels + lane, base),
                *(_residual(base, base),) * 2,
                Conv(base, self.classes, kernel=1),
            ),
        )

    def _unit(self, draft: Draft, place: Place, channels_in: int, channels: int) -> None:
        """An FRRU: read the lane, two convolutions, write to the lane."""
        (stream, column), lane = place, self.lane_channels
        size = 1 << stream
        # One pooling over 2^k, as the paper has it, keeps fewer maps than k poolings.
        draft.connect((0, column - 1), place, (MaxPool(size, size),))
        first = normed(Conv(channels_in + lane, channels, bias=False))
        draft.fuse(place, CONCAT, (*first, *normed(Conv(channels, channels, bias=False))))
        draft.connect((0, column - 1), (0, column))
        # With a bias, which the other convolutions have not: no BN follows it.
        write = Conv(channels, lane, kernel=1), Upsample("nearest", size)
        draft.connect(place, (0, column), write)


def _resampling(source: int, target: int) -> Layers:
    """Of the pooling stream, from one of its resolutions to the next."""
    if source == target:
        return ()
    return (MaxPool(),) if source < target else (Upsample("bilinear"),)


def _residual(channels_in: int, channels: int) -> Residual:
    """Two convolutions with BN and one ReLU, none after the sum; the identity projected if due."""
    layers = (
        *normed(Conv(channels_in, channels, bias=False)),
        *(Conv(channels, channels, bias=False), BatchNorm(channels)),
    )
    project = Conv(channels_in, channels, kernel=1, bias=False)
    return Residual(layers, (project,) if channels_in != channels else ())
