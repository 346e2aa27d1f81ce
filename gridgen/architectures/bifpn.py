"""Bidirectional feature pyramid network: columns up and down, repeated, with weighted fusion."""

from typing import Literal

from pydantic import Field

from gridgen.architectures.pyramid import STREAMS, Depth, backbone, backbone_stem, stage_channels
from gridgen.grid import Architecture, Draft, Grid
from gridgen.grid.fusions import WEIGHTED
from gridgen.grid.layers import BatchNorm, Conv, Layers, MaxPool, SiLU, Upsample

HALVING = MaxPool(3, 2)


class Bifpn(Architecture):
    """Tan, Pang, Le: EfficientDet, CVPR 2020, figure 2 (d), here for segmentation.

    Keeps of the grid: whole columns up and down, a lateral connection per stream and column.
    Adds: weighted fusion with SiLU, a depthwise separable 3 x 3 convolution and BN after it,
    resampling without weights, the same channels in every stream, and into each column down a
    second lateral, which skips the column up. A node that the paper removes because it would have
    one input passes its map as it is: the lowest on the way up, the highest on the way down.
    Left out: EfficientNet (here a ResNet); a further 1 x 1 convolution for the second lateral
    of the first repeat; the last column down, since stream 0 alone leads to the classes; boxes.
    The streams work at 1/4..1/64 (the paper's segmentation has one more) and the prediction at
    1/4 is bilinearly upsampled.

    Parameters with ResNet-50, F = 64, 3 repeats, 3 channels to 19 classes: ResNet-50 without its
    last layer 23,508,032; 1 x 1 with BN (256 + 512 + 1024 + 2048 + 2048) F + 5 * 3 F = 377,792;
    5 columns of 4 nodes of F^2 + 12 F = 4,864, that is 97,280; fusion weights 3 * 8 up and 2 * 11
    down, that is 46; in the head 3 nodes 14,592 and 19 F + 19 = 1,235; in all 23,998,977.
    """

    architecture: Literal["bifpn"]
    depth: Depth = 50
    streams: int = Field(default=5, ge=4, le=8, description="Number of resolutions, from 1/4.")
    channels: int = Field(default=64, ge=1, le=512, description="Channels of every stream.")
    repeats: int = Field(default=3, ge=1, le=8, description="How often a column goes up.")

    @property
    def multiple(self) -> int:
        """Stream 0 works at 1/4, every further one at half of that before."""
        return 4 << (self.streams - 1)

    def fill(self) -> Grid:
        """Column 0 down, column 1 the pyramid's input, then up, down, ..., up."""
        draft = Draft()
        backbone(draft, self.depth)
        self._inputs(draft)
        for repeat in range(self.repeats):
            self._up(draft, 2 + 2 * repeat)
            if repeat + 1 < self.repeats:
                self._down(draft, 3 + 2 * repeat)
        head = (*_separable(self.channels), SiLU()) * self.repeats
        return draft.grid(
            self,
            stem=backbone_stem(self.depth, self.in_channels),
            head=(*head, Conv(self.channels, self.classes, kernel=1), Upsample("bilinear", 4)),
        )

    def _inputs(self, draft: Draft) -> None:
        """1 x 1 convolutions with BN; below the last stage, pooling of what they make of it."""
        widths = stage_channels(self.depth)
        for i, wide in enumerate(widths):
            draft.connect((i, 0), (i, 1), _narrowed(wide, self.channels))
        for i in range(STREAMS, self.streams):
            # Only the first extra stream narrows; the others pool the map above.
            narrowed = _narrowed(widths[-1], self.channels) if i == STREAMS else ()
            draft.connect((i - 1, 0), (i, 0), (*narrowed, HALVING))
            draft.connect((i, 0), (i, 1))

    def _up(self, draft: Draft, column: int) -> None:
        for i in range(self.streams):
            draft.connect((i, column - 1), (i, column))
            if i + 1 < self.streams:
                draft.connect((i + 1, column), (i, column), (Upsample(),))
                draft.fuse((i, column), WEIGHTED, (SiLU(), *_separable(self.channels)))

    def _down(self, draft: Draft, column: int) -> None:
        for i in range(self.streams):
            draft.connect((i, column - 1), (i, column))
            if i > 0:
                draft.connect((i - 1, column), (i, column), (HALVING,))
                draft.fuse((i, column), WEIGHTED, (SiLU(), *_separable(self.channels)))
            if 0 < i < self.streams - 1:
                draft.connect((i, column - 2), (i, column))


def _narrowed(channels_in: int, channels_out: int) -> Layers:
    """Convolution 1 x 1 and BN."""
    return Conv(channels_in, channels_out, kernel=1), BatchNorm(channels_out)


def _separable(channels: int) -> Layers:
    """Depthwise convolution 3 x 3, convolution 1 x 1, BN."""
    depthwise = Conv(channels, channels, groups=channels, bias=False)
    return depthwise, Conv(channels, channels, kernel=1), BatchNorm(channels)
