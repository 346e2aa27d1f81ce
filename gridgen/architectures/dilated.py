"""Dilated convolutions: VGG-16 without its last two poolings, then a context module."""

from typing import Literal

from pydantic import Field

from gridgen.architectures.blocks import vgg
from gridgen.grid import Architecture, Draft, Grid
from gridgen.grid.layers import Conv, Layers, MaxPool, ReLU, Upsample
from gridgen.spec import Classes

DILATIONS = (1, 1, 2, 4, 8, 16, 1)
"""Of the basic context module, layers 1 to 7 (table 1)."""


class Dilated(Architecture):
    """Yu, Koltun: Multi-Scale Context Aggregation by Dilated Convolutions, ICLR 2016, table 1.

    Keeps of the grid: one column down, then stream 3 alone, a lateral connection per layer of the
    context. Adds: dilation in place of the last two poolings, 2 in the fifth row of VGG-16 and 4
    in its first fully connected layer; context at as many channels as there are classes. Left out:
    the reflected border (here every convolution is padded with zeros), dropout and initialization
    by the identity. The prediction at 1/8 is bilinearly upsampled, as in the original.

    Parameters with F = 64, 3 channels to 21 classes: VGG-16 rows 38,720 + 221,440 + 1,475,328 +
    5,899,776 + 7,079,424 = 14,714,688; 7 x 7 from 512 to 4096 102,764,544, 1 x 1 16,781,312,
    1 x 1 to the classes 86,037; context 7 * (9 * 21 * 21 + 21) = 27,930, 1 x 1 462; in all
    134,374,973.
    """

    architecture: Literal["dilated"]
    classes: Classes = 21
    base_channels: int = Field(
        default=64, ge=1, le=512, description="Channels of stream 0; 64 times as many at the end."
    )

    @property
    def multiple(self) -> int:
        """Three poolings are left."""
        return 8

    def fill(self) -> Grid:
        """Column 0 down to stream 3, columns 1 and 2 the rest of VGG-16, columns 3.. context."""
        base = self.base_channels
        draft = Draft()
        draft.connect((0, 0), (1, 0), (MaxPool(), *vgg(base, 2 * base, 2)))
        draft.connect((1, 0), (2, 0), (MaxPool(), *vgg(2 * base, 4 * base, 3)))
        draft.connect((2, 0), (3, 0), (MaxPool(), *vgg(4 * base, 8 * base, 3)))
        draft.connect((3, 0), (3, 1), (Conv(8 * base, 8 * base, dilation=2), ReLU()) * 3)
        draft.connect((3, 1), (3, 2), self._scores())
        for column, dilation in enumerate(DILATIONS, start=3):
            unit = Conv(self.classes, self.classes, dilation=dilation), ReLU()
            draft.connect((3, column - 1), (3, column), unit)
        return draft.grid(
            self,
            stem=vgg(self.in_channels, base, 2),
            head=(Conv(self.classes, self.classes, kernel=1), Upsample("bilinear", 8)),
            last=(3, 2 + len(DILATIONS)),
        )

    def _scores(self) -> Layers:
        """The fully connected layers of VGG-16 as convolutions."""
        narrow, wide = 8 * self.base_channels, 64 * self.base_channels
        return (
            *(Conv(narrow, wide, kernel=7, dilation=4), ReLU()),
            *(Conv(wide, wide, kernel=1), ReLU()),
            Conv(wide, self.classes, kernel=1),
        )
