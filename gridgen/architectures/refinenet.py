"""RefineNet: the stages of a ResNet, refined from the lowest up along chained poolings."""

from typing import Literal

from pydantic import Field

from gridgen.architectures.blocks import RESNETS, bottlenecks, resnet_stem
from gridgen.grid import Architecture, Draft, Grid
from gridgen.grid.fusions import SUM
from gridgen.grid.layers import Conv, Layers, MaxPool, ReLU, Residual, Upsample
from gridgen.spec import Classes

LAST = 3


class RefineNet(Architecture):
    """Lin, Milan, Shen, Reid: RefineNet, CVPR 2017, figures 2 (c) and 3.

    Keeps of the grid: a column down, residual laterals, one upsampling connection per stream,
    sums. Adds: stream 0 at a quarter of the size, stages of ResNet as the way down, two residual
    convolution units (RCU) on every way into a fusion, 3 x 3 convolutions to its width, chained
    residual pooling as maps of the stream, one RCU on its sum; before the classes two more, and
    a bilinear x 4 behind them to the image's size. Left out: dropout, pretrained weights.

    Parameters with 3 channels to 21 classes: ResNet-101 without its classifier 42,500,160; 3 x 3
    to 512 or 256 channels, 9 * (2048 * 512 + 256 * (1024 + 512 + 256)) = 13,565,952; RCUs,
    18 C^2 + C each: 5 of C = 512 and 15 of 256, 41,294,080; fusing, 9 * (512 * 256 + 5 * 256^2)
    = 4,128,768; pooling, 2 * 9 * (512^2 + 3 * 256^2) = 8,257,536; classes 9 * 256 * 21 + 21
    = 48,405; in all 109,794,901. With `pools` 4, the released code's other setting, 118,052,437.
    Where biases are (an RCU's first convolution, the classes) and the 3 x 3 of the classes are
    that code's; its bilinear upsampling aligns corners, this one does not, as everywhere here.
    """

    architecture: Literal["refinenet"]
    classes: Classes = 21
    depth: Literal[50, 101] = Field(default=101, description="Layers of the ResNet.")
    base_channels: int = Field(
        default=64,
        ge=4,
        le=256,
        description="Channels of the ResNet's stem; features have 4 times.",
    )
    pools: int = Field(default=2, ge=1, le=4, description="Poolings in a chain.")

    @property
    def multiple(self) -> int:
        """The stem quarters the map, three stages halve it."""
        return 32

    def fill(self) -> Grid:
        """Column 0 down; the stream above goes on in the column where the one below ends."""
        stages = [4 * self.base_channels << i for i in range(LAST + 1)]
        blocks = RESNETS[self.depth]
        draft = Draft()
        for i in range(1, LAST + 1):
            draft.connect((i - 1, 0), (i, 0), bottlenecks(stages[i - 1], stages[i], blocks[i], 2))
        for i in reversed(range(LAST + 1)):
            self._refine(draft, i, stages[i])
        first = bottlenecks(self.base_channels, stages[0], blocks[0])
        width = self._width(0)
        return draft.grid(
            self,
            stem=(*resnet_stem(self.in_channels, self.base_channels), *first),
            head=(*_rcus(width, 2), Conv(width, self.classes), Upsample("bilinear", 4)),
        )

    def _refine(self, draft: Draft, stream: int, channels: int) -> None:
        """A RefineNet block: figure 3, from its inputs to its output."""
        width, begin = self._width(stream), 1 + (LAST - stream) * self.pools
        end = begin + self.pools
        path = Conv(channels, width, bias=False), *_rcus(width, 2)
        if stream < LAST:
            path = *path, Conv(width, width, bias=False)
            below = self._width(stream + 1)
            fused = *_rcus(below, 2), Conv(below, width, bias=False), Upsample("bilinear")
            draft.connect((stream + 1, begin), (stream, begin), fused)
        draft.connect((stream, 0), (stream, begin), path)
        draft.fuse((stream, begin), SUM, (ReLU(),))
        pool = MaxPool(5, 1), Conv(width, width, bias=False)
        for j in range(begin, end - 1):
            draft.connect((stream, j), (stream, j + 1), pool)
            draft.connect((stream, j), (stream, end))
        # The last pooling is added to its own input, which the sum at the end takes too.
        draft.connect((stream, end - 1), (stream, end), pool, shortcut=())
        draft.fuse((stream, end), SUM, _rcus(width, 1))

    def _width(self, stream: int) -> int:
        """Channels of a stream's features: twice as many in the lowest (section 3.2)."""
        return (8 if stream == LAST else 4) * self.base_channels


def _rcus(channels: int, count: int) -> Layers:
    """Residual convolution units: ReLU and convolution, twice, without BN."""
    convs = Conv(channels, channels), Conv(channels, channels, bias=False)
    return (Residual((ReLU(), convs[0], ReLU(), convs[1])),) * count
