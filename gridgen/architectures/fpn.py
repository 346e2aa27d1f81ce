"""Feature pyramid network, as the semantic branch of Panoptic FPN uses it."""

from typing import Literal

from gridgen.architectures.pyramid import CHANNELS, STREAMS, MergedPyramid
from gridgen.grid import Draft
from gridgen.grid.layers import Conv


class Fpn(MergedPyramid):
    """Lin, Dollár, Girshick, He, Hariharan, Belongie: Feature Pyramid Networks, CVPR 2017, fig. 3.

    The end is that of Kirillov, Girshick, He, Dollár: Panoptic Feature Pyramid Networks, CVPR
    2019, figure 3. Keeps of the grid: one column down, one up, a lateral connection per stream,
    sums. Adds: the stages of a residual network on the way down (the first in the stem), nearest
    upsampling without a unit's weights, the same channels in every stream of the pyramid, and the
    end, where all streams lead straight to stream 0. Left out: boxes and masks. The prediction at
    1/4 is bilinearly upsampled, as in the original.

    Parameters with ResNet-50, 3 channels to 19 classes: ResNet-50 without its last layer
    23,508,032 (25,557,032 - 2,049,000); laterals (256 + 512 + 1024 + 2048) 256 + 4 * 256 =
    984,064; 3 x 3 convolutions 4 (9 * 256^2 + 256) = 2,360,320; the end 4 * 295,168 from 256 to
    128 and 3 * 147,712 from 128 to 128, each with 256 of GN, = 1,623,808; classes 128 * 19 + 19 =
    2,451; in all 28,478,675.
    """

    architecture: Literal["fpn"]

    def last_column(self, draft: Draft) -> None:
        """A 3 x 3 convolution in each stream."""
        for i in range(STREAMS):
            draft.connect((i, 1), (i, 2), (Conv(CHANNELS, CHANNELS),))
