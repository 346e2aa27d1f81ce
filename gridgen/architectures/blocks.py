"""Blocks that several networks share: the rows of VGG and the stages of ResNet."""

from typing import Annotated

from pydantic import Field

from gridgen.grid import Draft
from gridgen.grid.layers import BatchNorm, Conv, Layers, MaxPool, ReLU, Residual

VGG16 = (1, 2), (2, 2), (4, 3), (8, 3), (8, 3)
"""Channels, in multiples of the first row's, and convolutions of each row (configuration D)."""

VggChannels = Annotated[
    int, Field(ge=1, le=256, description="Channels of VGG's first row; the last has 8 times.")
]
Hidden = Annotated[int, Field(ge=1, le=16384, description="Channels of fc6 and fc7.")]

RESNETS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
"""Blocks in each of the four stages (He et al. 2016, table 1)."""


def normed(conv: Conv) -> Layers:
    """Convolution, BN, ReLU."""
    return conv, BatchNorm(conv.channels_out), ReLU()


def vgg(channels_in: int, channels_out: int, count: int) -> Layers:
    """`count` convolutions 3 x 3 with ReLU (Simonyan and Zisserman 2015, table 1)."""
    first = Conv(channels_in, channels_out), ReLU()
    return (*first, *(Conv(channels_out, channels_out), ReLU()) * (count - 1))


def resnet_stem(channels_in: int, channels: int = 64) -> Layers:
    """Convolution 7 x 7 of stride 2, BN, ReLU, maximum 3 x 3 of stride 2: a quarter of the size."""
    conv = Conv(channels_in, channels, kernel=7, stride=2, bias=False)
    return (*normed(conv), MaxPool(3, 2))


def basic(channels_in: int, channels: int, stride: int = 1) -> Layers:
    """Two convolutions 3 x 3 and the identity, then ReLU (He et al. 2016, figure 2)."""
    layers = (
        *normed(Conv(channels_in, channels, stride=stride, bias=False)),
        *_linear(Conv(channels, channels, bias=False)),
    )
    return Residual(layers, _projection(channels_in, channels, stride)), ReLU()


def bottleneck(channels_in: int, channels: int, stride: int = 1, dilation: int = 1) -> Layers:
    """1 x 1 to a quarter of `channels`, 3 x 3, 1 x 1 and the identity, then ReLU.

    He et al. 2016, figure 5, with the stride at the 3 x 3 as in today's implementations.
    """
    narrow = channels // 4
    middle = Conv(narrow, narrow, stride=stride, dilation=dilation, bias=False)
    layers = (
        *normed(Conv(channels_in, narrow, kernel=1, bias=False)),
        *normed(middle),
        *_linear(Conv(narrow, channels, kernel=1, bias=False)),
    )
    return Residual(layers, _projection(channels_in, channels, stride)), ReLU()


def bottlenecks(
    channels_in: int, channels: int, count: int, stride: int = 1, dilation: int = 1
) -> Layers:
    """A stage of `count` bottlenecks, the first of which widens and has the stride."""
    first = bottleneck(channels_in, channels, stride, dilation)
    return (*first, *bottleneck(channels, channels, dilation=dilation) * (count - 1))


def dilated_resnet(draft: Draft, depth: int, channels_in: int) -> None:
    """The stages of a ResNet from X(0, 0) to X(1, 3), at an eighth of the image's size.

    The last two are dilated by 2 and 4, in all their blocks, instead of halved.
    """
    first, second, third, fourth = RESNETS[depth]
    draft.connect((0, 0), (0, 1), bottlenecks(channels_in, 256, first))
    draft.connect((0, 1), (1, 1), bottlenecks(256, 512, second, stride=2))
    draft.connect((1, 1), (1, 2), bottlenecks(512, 1024, third, dilation=2))
    draft.connect((1, 2), (1, 3), bottlenecks(1024, 2048, fourth, dilation=4))


def _projection(channels_in: int, channels: int, stride: int) -> Layers:
    """Of an identity whose shape changes: 1 x 1 convolution and BN; nothing where it does not."""
    if channels_in == channels and stride == 1:
        return ()
    return _linear(Conv(channels_in, channels, kernel=1, stride=stride, bias=False))


def _linear(conv: Conv) -> Layers:
    return conv, BatchNorm(conv.channels_out)
