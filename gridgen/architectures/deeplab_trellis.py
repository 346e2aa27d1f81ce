"""The trellis in which Auto-DeepLab and DiNTS search for a network, whole."""

from typing import Literal

from pydantic import Field

from gridgen.architectures.blocks import normed
from gridgen.grid import Architecture, Draft, FeatureMap, Grid
from gridgen.grid.grid import kind_between
from gridgen.grid.lattices import trellis
from gridgen.grid.layers import BatchNorm, Conv, Layers, ReLU, Upsample

STREAMS = 4


class DeeplabTrellis(Architecture):
    """Liu, Chen, Schroff et al.: Auto-DeepLab, CVPR 2019, figure 1; He et al.: DiNTS, CVPR 2021.

    Every choice of resolutions in the search space is a part of this network: a list of
    connections to keep, as `topology`, leaves one path, as Auto-DeepLab decodes it, or several,
    as DiNTS does. Keeps of the grid: streams and columns, a unit per connection, sums, channels
    that double. Adds: between neighbouring streams the connections are diagonal, both ways in
    every column; stream i opens in column i. Left out: the search inside the cell, for which each
    connection has one separable 3 x 3 convolution (ReLU, depthwise, 1 x 1, BN, bilinear
    upsampling before it on the way up); the cell's second input from two columns before; atrous
    spatial pyramid pooling, for which each stream ends with ReLU and a 1 x 1 convolution with BN
    and ReLU. The prediction at 1/4 is bilinearly upsampled, as in Auto-DeepLab.

    Parameters with F = 40, 12 columns, 3 channels to 19 classes: a unit from F to G channels has
    9 F + F G + 2 G, so within a stream 2,040, 7,280, 27,360, 105,920, down 3,720, 13,840, 53,280,
    up 4,000, 14,400, 54,400. Columns 1..3 have 5,760 + 30,880 + 125,920 of these, columns 4..12
    all of them, 286,240 each: 2,738,720. Stem 1,728 + 36,864 + 23,040 and 336 of BN; the end
    15 F F + 4 * 2 F = 24,320; classes 19 F + 19 = 779; in all 2,825,787.
    """

    architecture: Literal["deeplab-trellis"]
    columns: int = Field(default=12, ge=3, le=32, description="Number of layers of the trellis.")
    base_channels: int = Field(default=40, ge=1, le=512, description="Channels of stream 0.")

    @property
    def multiple(self) -> int:
        """Stream 0 works at 1/4, stream 3 at 1/32."""
        return 4 << (STREAMS - 1)

    def fill(self) -> Grid:
        """Column 0 the stem's map, columns 1.. the trellis, the last where all streams meet."""
        draft = Draft()
        for column in range(1, self.columns + 1):
            for source, target in trellis(range(min(column + 1, STREAMS)), column, span=1):
                if source.stream < column:
                    draft.connect(source, target, self._cell(source, target))
        for i in range(STREAMS):
            draft.connect((i, self.columns), (0, self.columns + 1), self._end(i))
        base = self.base_channels
        return draft.grid(
            self,
            stem=(
                *normed(Conv(self.in_channels, 64, stride=2, bias=False)),
                *normed(Conv(64, 64, bias=False)),
                *normed(Conv(64, base, stride=2, bias=False)),
            ),
            head=(Conv(base, self.classes, kernel=1), Upsample("bilinear", 4)),
        )

    def _cell(self, source: FeatureMap, target: FeatureMap) -> Layers:
        channels_in, channels_out = (self.base_channels << end.stream for end in (source, target))
        kind = kind_between(source, target)
        stride = 2 if kind == "subsampling" else 1
        return (
            *((Upsample("bilinear"),) if kind == "upsampling" else ()),
            ReLU(),
            Conv(channels_in, channels_in, stride=stride, groups=channels_in, bias=False),
            Conv(channels_in, channels_out, kernel=1, bias=False),
            BatchNorm(channels_out),
        )

    def _end(self, stream: int) -> Layers:
        conv = Conv(self.base_channels << stream, self.base_channels, kernel=1, bias=False)
        return (ReLU(), *normed(conv), *((Upsample("bilinear", 1 << stream),) if stream else ()))
