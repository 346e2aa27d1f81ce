"""UNet++: a U-Net at every depth, nested, with dense rows."""

from typing import Literal

from pydantic import Field

from gridgen.architectures.blocks import vgg
from gridgen.grid import Architecture, Draft, FeatureMap, Grid
from gridgen.grid.fusions import CONCAT
from gridgen.grid.grid import kind_between
from gridgen.grid.lattices import triangle
from gridgen.grid.layers import Conv, Deconv, Layers, MaxPool
from gridgen.spec import Classes


class UnetPlusPlus(Architecture):
    """Zhou, Rahman Siddiquee, Tajbakhsh, Liang: UNet++, DLMIA 2018, figure 1; IEEE TMI 2020.

    The paper's X(i, j) is here X(i, i + j). Keeps of the grid: way up inside a column. Adds: the
    way down is the diagonal, with max-pooling; a map reads all maps before it in its row, as they
    are, and the one below it by a 2 x 2 up-convolution; concatenation, then convolution 3 x 3 and
    ReLU twice, no BN, as in the authors' code. Left out: deep supervision (heads at the other maps
    of stream 0) and dropout.

    Parameters with F = 32, 3 channels to 2 classes: way down 10,144 + 55,424 + 221,440 + 885,248 +
    3,539,968 = 4,712,224; X(i, i + j) at f channels 9 f f (j + 2) + 2 f and an up-convolution
    8 f f + f: 199,040 + 541,248 + 1,295,104 + 2,294,528 = 4,329,920; 1 x 1 to the classes 66; in
    all 9,042,210. With one channel to one class 9,041,601, as the authors' code says (9.04 M).
    """

    architecture: Literal["unet++"]
    classes: Classes = 2
    streams: int = Field(default=5, ge=2, le=8, description="Number of resolutions.")
    base_channels: int = Field(default=32, ge=1, le=512, description="Channels of stream 0.")

    @property
    def multiple(self) -> int:
        """Every pooling halves the map."""
        return 1 << (self.streams - 1)

    def fill(self) -> Grid:
        """A triangle: column j ends at stream j."""
        draft = Draft()
        for source, target in triangle(self.streams):
            draft.connect(source, target, self._unit(source, target))
        for column in range(self.streams):
            for i in range(column):
                channels = self.base_channels << i
                # Every map before it in the row, and the one from below, upsampled to as many.
                dense = (column - i + 1) * channels
                draft.fuse((i, column), CONCAT, vgg(dense, channels, 2))
        return draft.grid(
            self,
            stem=vgg(self.in_channels, self.base_channels, 2),
            head=(Conv(self.base_channels, self.classes, kernel=1),),
        )

    def _unit(self, source: FeatureMap, target: FeatureMap) -> Layers:
        channels_in, channels = (self.base_channels << end.stream for end in (source, target))
        match kind_between(source, target):
            case "lateral":
                return ()
            case "subsampling":
                return MaxPool(), *vgg(channels_in, channels, 2)
            case "upsampling":
                return (Deconv(channels_in, channels, 2, kernel=2),)
