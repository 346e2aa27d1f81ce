"""Fully convolutional residual network: a ResNet with dilated last stages, and a classifier."""

from typing import Literal

from pydantic import Field

from gridgen.architectures.blocks import dilated_resnet, resnet_stem
from gridgen.grid import Architecture, Draft, Grid
from gridgen.grid.layers import Conv, Upsample


class Fcrn(Architecture):
    """Wu, Shen, van den Hengel: High-performance Semantic Segmentation Using Very Deep Fully
    Convolutional Networks, 2016 (arXiv 1604.04339), as section 2 of the GridNet paper tells it.

    Keeps of the grid: a step down and lateral connections, a single path. Adds: the first layers
    of a ResNet, its last two stages dilated by 2 and 4 instead of halved, so that three
    subsamplings are left. Left out: what belongs to training (dropout, bootstrapping), and any
    classifier wider than 1 x 1. The prediction at 1/8 is bilinearly upsampled, as in the original.

    Parameters with ResNet-101, 3 channels to 19 classes: ResNet-101 without its last layer
    42,500,160 (44,549,160 - 2,049,000); classes 2048 * 19 + 19 = 38,931; in all 42,539,091. With
    ResNet-50, 18,992,128 fewer; with ResNet-152, 15,643,648 more.
    """

    architecture: Literal["fcrn"]
    depth: Literal[50, 101, 152] = Field(default=101, description="Layers of the ResNet.")

    @property
    def multiple(self) -> int:
        """Stream 1 works at 1/8."""
        return 8

    def fill(self) -> Grid:
        """The stages to X(1, 3), of which the classes are read."""
        draft = Draft()
        dilated_resnet(draft, self.depth, 64)
        return draft.grid(
            self,
            stem=resnet_stem(self.in_channels),
            head=(Conv(2048, self.classes, kernel=1), Upsample("bilinear", 8)),
            last=(1, 3),
        )
