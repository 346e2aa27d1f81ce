"""DeconvNet: VGG-16 and its mirror image, which unpools to where the maxima were."""

from typing import Literal

from gridgen.architectures.blocks import VGG16, Hidden, VggChannels, normed
from gridgen.grid import Architecture, Draft, Grid
from gridgen.grid.layers import BatchNorm, Conv, Deconv, Layers, MaxPool, MaxUnpool, ReLU
from gridgen.spec import Classes


class DeconvNet(Architecture):
    """Noh, Hong, Han: Learning deconvolution network, ICCV 2015, figure 2.

    Keeps of the grid: one column down, one up, a single path. Adds: VGG-16 with BN after every
    convolution; streams 5, which is pooled only, and 6, where a 7 x 7 convolution without padding
    leaves 1 x 1 of 224 x 224; on the way up, unpooling to the maxima that the pooling of the same
    stream found, then deconvolutions of stride 1. Left out: the ensemble with FCN-8s, object
    proposals, the two-stage training, pretrained weights.

    Parameters with 3 channels to 21 classes: VGG-16's convolutions 14,714,688 + BN 8,448; fc6
    49 * 512 * 4096 + 4096 and fc7 4096^2 + 4096, each + BN 8,192, are 119,562,240; the 7 x 7
    deconvolution 49 * 4096 * 512 + 512 + BN 1,024 = 102,761,984; the 3 x 3 deconvolutions have
    14,745,600 weights + 3,776 biases + BN 7,552; 1 x 1 to the classes 1,365; in all 251,805,653.
    The paper states about 252 M (implementation details).
    """

    architecture: Literal["deconvnet"]
    classes: Classes = 21
    base_channels: VggChannels = 64
    hidden: Hidden = 4096

    @property
    def multiple(self) -> int:
        """Five poolings halve the map."""
        return 32

    @property
    def least(self) -> int:
        """The 7 x 7 convolution needs that many rows and columns of stream 5."""
        return 7 * self.multiple

    def fill(self) -> Grid:
        """Column 0 down, column 1 up; the pooling into stream i + 1 is undone from it to i."""
        channels = [self.base_channels * factor for factor, _ in VGG16]
        wide, hidden = channels[-1], self.hidden
        draft = Draft()
        for i, (_, count) in enumerate(VGG16[1:], start=1):
            row = _row(channels[i - 1], channels[i], count)
            draft.connect((i - 1, 0), (i, 0), (MaxPool(), *row))
        draft.connect((4, 0), (5, 0), (MaxPool(),))
        draft.connect((5, 0), (6, 0), normed(Conv(wide, hidden, kernel=7, valid=True)))
        draft.connect((6, 0), (6, 1), normed(Conv(hidden, hidden, kernel=1)))
        draft.connect((6, 1), (5, 1), _normed(Deconv(hidden, wide, kernel=7, valid=True)))
        # The narrowest map comes first: the way up mirrors the way down.
        for i, (_, count) in reversed(list(enumerate(VGG16))):
            unpool = MaxUnpool(f"sub_{i + 1}_0")
            mirrored = _mirrored(channels[i], channels[max(i - 1, 0)], count)
            draft.connect((i + 1, 1), (i, 1), (unpool, *mirrored), auxiliary=(i, 0))
        return draft.grid(
            self,
            stem=_row(self.in_channels, channels[0], VGG16[0][1]),
            head=(Conv(channels[0], self.classes, kernel=1),),
        )


def _row(channels_in: int, channels_out: int, count: int) -> Layers:
    """A row of VGG: `count` convolutions 3 x 3 with BN, of which the first widens."""
    first, further = Conv(channels_in, channels_out), Conv(channels_out, channels_out)
    return normed(first) + normed(further) * (count - 1)


def _mirrored(channels_in: int, channels_out: int, count: int) -> Layers:
    """A row backwards: `count` deconvolutions 3 x 3 with BN, of which the last narrows."""
    first, last = Deconv(channels_in, channels_in), Deconv(channels_in, channels_out)
    return _normed(first) * (count - 1) + _normed(last)


def _normed(deconv: Deconv) -> Layers:
    return deconv, BatchNorm(deconv.channels_out), ReLU()
