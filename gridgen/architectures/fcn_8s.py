"""FCN-8s: scores at three depths of VGG-16, added up on the way to the image's size."""

from typing import Literal

from gridgen.architectures.blocks import VGG16, Hidden, VggChannels, vgg
from gridgen.grid import Architecture, Draft, Grid
from gridgen.grid.layers import Conv, Layers, MaxPool, ReLU, Upsample
from gridgen.spec import Classes


class Fcn8s(Architecture):
    """Long, Shelhamer, Darrell: Fully convolutional networks, CVPR 2015, figure 3.

    Keeps of the grid: one column down and one up over six streams, laterals where the scores
    meet, sums. Adds: rows of VGG-16, each ending in its max-pooling, so that X(i, 0) is pool i and
    X(0, 0) the image; fc6 and fc7 as convolutions; 1 x 1 scores of pool 3, pool 4 and fc7; bilinear
    upsampling, by 2 between the scores and by 8 at the end, one connection over three streams.
    Left out: dropout, the 100 pixels of padding with their crops (here fc6 is padded by 3), the
    upsampling by 2 as learnt deconvolutions, which the paper only begins as bilinear.

    Parameters with 3 channels to 21 classes: the 13 convolutions of VGG-16 14,710,464 weights
    + 4,224 biases; fc6 49 * 512 * 4096 + 4096 = 102,764,544; fc7 4096^2 + 4096 = 16,781,312; scores
    21 * (256 + 512 + 4096) + 3 * 21 = 102,207; in all 134,362,751. Table 1 has 134 M for VGG-16.
    """

    architecture: Literal["fcn-8s"]
    classes: Classes = 21
    base_channels: VggChannels = 64
    hidden: Hidden = 4096

    @property
    def multiple(self) -> int:
        """Five poolings halve the map."""
        return 32

    def fill(self) -> Grid:
        """Column 0 pools, column 1 scores."""
        pooled = [self.in_channels, *(self.base_channels * factor for factor, _ in VGG16)]
        draft = Draft()
        for i, (_, count) in enumerate(VGG16, start=1):
            row = *vgg(pooled[i - 1], pooled[i], count), MaxPool()
            draft.connect((i - 1, 0), (i, 0), row)
        draft.connect((5, 0), (5, 1), self._perceptron(pooled[5]))
        for i in (4, 3):
            draft.connect((i, 0), (i, 1), (Conv(pooled[i], self.classes, kernel=1),))
            draft.connect((i + 1, 1), (i, 1), (Upsample("bilinear"),))
        # One connection over three streams: the original upsamples by 8 at once.
        draft.connect((3, 1), (0, 1), (Upsample("bilinear", 8),))
        return draft.grid(self, stem=(), head=())

    def _perceptron(self, channels_in: int) -> Layers:
        """fc6, fc7 and their score: what was a classifier of 224 x 224 images."""
        return (
            *(Conv(channels_in, self.hidden, kernel=7), ReLU()),
            *(Conv(self.hidden, self.hidden, kernel=1), ReLU()),
            Conv(self.hidden, self.classes, kernel=1),
        )
