"""Pre-activation ResNet: the grid's one stream, a chain of residual units at full resolution."""

from typing import Literal

from pydantic import Field

from gridgen.grid import Architecture, Draft, Grid
from gridgen.grid.layers import BatchNorm, Conv, Layers, ReLU


class PreactResNet(Architecture):
    """He, Zhang, Ren, Sun: Identity mappings in deep residual networks, ECCV 2016, figure 4 (e).

    Keeps of the grid: stream 0 and its lateral connections, which the paper's grid takes from
    here; BN and ReLU before every convolution, nothing after the sum. Adds: nothing. Left out: the
    wider stages at half and a quarter of the size, and the average over the image, since every
    pixel is classified.

    Parameters with 3 channels to 19 classes, no biases before BN: stem 9 * 3 * 64 = 1,728; a unit
    2 * (9 * 64^2 + 2 * 64) = 73,984, eight times 591,872; head BN 128 + 1 x 1 64 * 19 + 19 = 1,363;
    in all 594,963.
    """

    architecture: Literal["preact-resnet"]
    units: int = Field(default=8, ge=1, le=64, description="Residual units.")
    base_channels: int = Field(default=64, ge=1, le=1024, description="Channels of every map.")

    @property
    def multiple(self) -> int:
        """Nothing resamples."""
        return 1

    def fill(self) -> Grid:
        """One unit from each column to the next."""
        channels = self.base_channels
        draft = Draft()
        for j in range(self.units):
            draft.connect((0, j), (0, j + 1), _activated(channels) * 2, shortcut=())
        return draft.grid(
            self,
            stem=(Conv(self.in_channels, channels, bias=False),),
            head=(BatchNorm(channels), ReLU(), Conv(channels, self.classes, kernel=1)),
        )


def _activated(channels: int) -> Layers:
    """BN, ReLU, convolution."""
    return BatchNorm(channels), ReLU(), Conv(channels, channels, bias=False)
