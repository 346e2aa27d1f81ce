"""Path aggregation network: a feature pyramid with a second way down."""

from typing import Literal

from gridgen.architectures.pyramid import (
    STREAMS,
    Depth,
    backbone,
    backbone_stem,
    merge,
    merged_head,
    top_down,
)
from gridgen.grid import Architecture, Draft, Grid
from gridgen.grid.fusions import SUM
from gridgen.grid.layers import Conv, ReLU

CHANNELS, NARROW = 256, 128


class Panet(Architecture):
    """Liu, Qi, Qin, Shi, Jia: Path Aggregation Network, CVPR 2018, figures 1 and 2.

    Keeps of the grid: columns down, up, down, a lateral connection per stream and column, sums.
    Adds: as FPN (of which every connection is here too), and on the second way down a 3 x 3
    convolution after the sum; both its convolutions are followed by a ReLU. Left out: adaptive
    feature pooling and fully-connected fusion, which belong to boxes and masks; instead all
    streams are upsampled and added up as in Panoptic FPN (Kirillov et al. 2019), and the
    prediction at 1/4 bilinearly upsampled.

    Parameters with ResNet-50, 3 channels to 19 classes: FPN 28,478,675; the second way down
    3 * 2 convolutions of 9 * 256^2 + 256 = 590,080, that is 3,540,480; in all 32,019,155.
    """

    architecture: Literal["panet"]
    depth: Depth = 50

    @property
    def multiple(self) -> int:
        """The last stage works at 1/32."""
        return 32

    def fill(self) -> Grid:
        """Column 0 down, column 1 up, column 2 down, all to X(0, 3)."""
        draft = Draft()
        backbone(draft, self.depth)
        top_down(draft, self.depth, CHANNELS)
        for i in range(STREAMS):
            draft.connect((i, 1), (i, 2), (Conv(CHANNELS, CHANNELS),))
            if i > 0:
                halving = Conv(CHANNELS, CHANNELS, stride=2), ReLU()
                draft.connect((i - 1, 2), (i, 2), halving)
                draft.fuse((i, 2), SUM, (Conv(CHANNELS, CHANNELS), ReLU()))
        merge(draft, 2, CHANNELS, NARROW)
        return draft.grid(
            self,
            stem=backbone_stem(self.depth, self.in_channels),
            head=merged_head(NARROW, self.classes),
        )
