"""U-Net as published, which concatenates; the grid's own subgraph is `--as unet`."""

from typing import Literal

from pydantic import Field

from gridgen.grid import Architecture, Draft, Grid
from gridgen.grid.fusions import CONCAT
from gridgen.grid.layers import Conv, Deconv, Layers, MaxPool, ReLU
from gridgen.spec import Classes, InChannels


class Unet2015(Architecture):
    """Ronneberger, Fischer, Brox: U-Net, MICCAI 2015, figure 1.

    Keeps of the grid: one column down, one up, a lateral connection per stream. Adds: max-pooling,
    2 x 2 up-convolutions, laterals that pass the map as it is, concatenation, no BN. Left out:
    valid convolutions (here padded, so that the prediction has the image's size) and the dropout
    at the end of the way down.

    Parameters with F = 64, 1 channel to 2 classes: 3 x 3 convolutions 28,236,096 weights
    + 5,888 biases, up-convolutions 2,785,280 + 960, 3 x 3 of the image 576 + 64 (in the former),
    1 x 1 to the classes 130; in all 31,030,658, as every implementation with padding has.
    """

    architecture: Literal["unet-2015"]
    in_channels: InChannels = 1
    classes: Classes = 2
    streams: int = Field(default=5, ge=2, le=8, description="Number of resolutions.")
    base_channels: int = Field(default=64, ge=1, le=512, description="Channels of stream 0.")

    @property
    def multiple(self) -> int:
        """Every pooling halves the map."""
        return 1 << (self.streams - 1)

    def fill(self) -> Grid:
        """Column 0 down, column 1 up."""
        channels = [self.base_channels << i for i in range(self.streams)]
        last = self.streams - 1
        draft = Draft()
        for i in range(1, self.streams):
            draft.connect((i - 1, 0), (i, 0), (MaxPool(), *_twice(channels[i - 1], channels[i])))
        for i in reversed(range(last)):
            below = (i + 1, 0 if i + 1 == last else 1)
            draft.connect((i, 0), (i, 1))
            draft.connect(below, (i, 1), (Deconv(channels[i + 1], channels[i], 2, kernel=2),))
            draft.fuse((i, 1), CONCAT, _twice(2 * channels[i], channels[i]))
        return draft.grid(
            self,
            stem=_twice(self.in_channels, channels[0]),
            head=(Conv(channels[0], self.classes, kernel=1),),
        )


def _twice(channels_in: int, channels_out: int) -> Layers:
    """Convolution 3 x 3 and ReLU, twice."""
    return Conv(channels_in, channels_out), ReLU(), Conv(channels_out, channels_out), ReLU()
