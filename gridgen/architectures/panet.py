"""Path aggregation network: a feature pyramid with a second way down."""

from typing import Literal

from gridgen.architectures.pyramid import CHANNELS, STREAMS, MergedPyramid
from gridgen.grid import Draft
from gridgen.grid.fusions import SUM
from gridgen.grid.layers import Conv, ReLU


class Panet(MergedPyramid):
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

    def last_column(self, draft: Draft) -> None:
        """Down again, over the laterals of FPN."""
        for i in range(STREAMS):
            draft.connect((i, 1), (i, 2), (Conv(CHANNELS, CHANNELS),))
        for i in range(1, STREAMS):
            halving = Conv(CHANNELS, CHANNELS, stride=2), ReLU()
            draft.connect((i - 1, 2), (i, 2), halving)
            draft.fuse((i, 2), SUM, (Conv(CHANNELS, CHANNELS), ReLU()))
