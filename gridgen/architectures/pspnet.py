"""Pyramid scene parsing network: a dilated ResNet and a pyramid of pooled maps."""

from typing import Literal

from pydantic import Field

from gridgen.architectures.blocks import dilated_resnet, normed, resnet_stem
from gridgen.grid import Architecture, Draft, Grid
from gridgen.grid.fusions import CONCAT
from gridgen.grid.layers import AveragePool, Conv, Layers, MaxPool, Resize, Upsample

BINS = (6, 3, 2, 1)
"""Of the pooled maps, the finest first, as streams go."""


class Pspnet(Architecture):
    """Zhao, Shi, Qi, Wang, Jia: Pyramid Scene Parsing Network, CVPR 2017, figure 3.

    Keeps of the grid: a step down, lateral connections, and streams 2 to 5, each a pooled map,
    down to which and up from which one unit leads. Adds: the residual network's stages, the last
    two dilated by 2 and 4 instead of halved (stem of three 3 x 3 convolutions, as in the authors'
    code); pooling to a fixed number of bins, bilinear upsampling to stream 1, concatenation. Left
    out: the auxiliary loss, dropout, and corners that interpolation aligns. The prediction at 1/8
    is bilinearly upsampled, as in the original.

    Parameters with ResNet-101, 3 channels to 19 classes: ResNet-101 without its last layer
    42,500,160 (44,549,160 - 2,049,000), its stem 112,832 instead of 9,536, its first block
    20,480 more for 128 channels in; pyramid 4 * (2048 * 512 + 1,024) = 4,198,400; 3 x 3 from 4096
    to 512 18,874,368 + 1,024; classes 512 * 19 + 19 = 9,747; in all 65,707,475. With ResNet-50,
    18,992,128 fewer; with ResNet's own stem 123,776 fewer.
    """

    architecture: Literal["pspnet"]
    depth: Literal[50, 101] = Field(default=101, description="Layers of the residual network.")
    stem: Literal["deep", "resnet"] = Field(
        default="deep",
        description="Three 3 x 3 convolutions, as the authors' code has, or ResNet's one of 7 x 7.",
    )

    @property
    def multiple(self) -> int:
        """Stream 1 works at 1/8."""
        return 8

    def fill(self) -> Grid:
        """The stages to X(1, 3), pooled maps in column 5, all concatenated at X(1, 7)."""
        draft, deep = Draft(), self.stem == "deep"
        dilated_resnet(draft, self.depth, 128 if deep else 64)
        draft.connect((1, 3), (1, 7))
        for i, bins in enumerate(BINS, start=2):
            reduction = normed(Conv(2048, 2048 // len(BINS), kernel=1, bias=False))
            draft.connect((1, 3), (i, 5), (AveragePool(bins), *reduction))
            # A factor would not do: pooled maps have the same size whatever the image.
            draft.connect((i, 5), (1, 7), (Resize("bilinear"),), auxiliary=(1, 3))
        draft.fuse((1, 7), CONCAT, normed(Conv(2 * 2048, 512, bias=False)))
        return draft.grid(
            self,
            stem=_stem(self.in_channels) if deep else resnet_stem(self.in_channels),
            head=(Conv(512, self.classes, kernel=1), Upsample("bilinear", 8)),
            last=(1, 7),
        )


def _stem(channels_in: int) -> Layers:
    return (
        *normed(Conv(channels_in, 64, stride=2, bias=False)),
        *normed(Conv(64, 64, bias=False)),
        *normed(Conv(64, 128, bias=False)),
        MaxPool(3, 2),
    )
