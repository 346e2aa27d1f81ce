"""Stacked hourglass network: down and up, as often as wanted, at the same channels."""

from typing import Literal

from pydantic import Field

from gridgen.architectures.blocks import normed
from gridgen.grid import Architecture, Draft, Grid
from gridgen.grid.layers import BatchNorm, Conv, Layers, MaxPool, ReLU, Residual, Upsample
from gridgen.spec import Classes

STREAMS = 5


class StackedHourglass(Architecture):
    """Newell, Yang, Deng: Stacked Hourglass Networks for Human Pose Estimation, ECCV 2016.

    Figures 3 and 4. Keeps of the grid: columns down and up in turn, residual lateral connections,
    sums. Adds: max-pooling, nearest upsampling, the same channels in every stream; from one
    hourglass to the next only stream 0 leads, with what went into the hourglass, its features by a
    1 x 1 convolution, and its heat maps by another. Left out: the losses on the heat maps between.
    The prediction at 1/4, where the original ends, is bilinearly upsampled; a class is a joint.

    Parameters with F = 256, 2 stacks, 3 channels to 16 classes: a residual unit has 214,528
    (512 + 32,896, 256 + 147,584, 256 + 33,024), an hourglass 13 of them (4 down, 5 lateral, 4 up),
    then one more and a 1 x 1 convolution with BN 66,304: 3,069,696 a stack. To the next stack
    65,792 + 4,112 + 4,352 = 74,256. Stem 9,600 + 58,112 + 54,016 + 230,912 = 352,640, heat maps
    4,112; in all 6,570,400. With the paper's 8 stacks 25,434,112, as in that one of two released
    files in which a residual unit follows each hourglass; without it, 214,528 fewer a stack, the
    other has 23,717,888.
    """

    architecture: Literal["stacked-hourglass"]
    classes: Classes = 16
    stacks: int = Field(default=2, ge=1, le=16, description="Number of hourglasses.")
    channels: int = Field(
        default=256, ge=4, le=1024, multiple_of=4, description="Channels of every map."
    )

    @property
    def multiple(self) -> int:
        """Stream 0 works at 1/4 and is pooled four times."""
        return 4 << (STREAMS - 1)

    def fill(self) -> Grid:
        """Columns 2k down and 2k + 1 up."""
        draft = Draft()
        for down in range(0, 2 * self.stacks, 2):
            self._add_hourglass(draft, down)
        for down in range(2, 2 * self.stacks, 2):
            draft.connect((0, down - 2), (0, down))
            draft.connect((0, down - 1), (0, down), self._heat(), shortcut=self._features())
        return draft.grid(
            self,
            stem=self._stem(),
            head=(Conv(self.channels, self.classes, kernel=1), Upsample("bilinear", 4)),
        )

    def _add_hourglass(self, draft: Draft, down: int) -> None:
        channels, up = self.channels, down + 1
        for i in range(STREAMS):
            draft.connect((i, down), (i, up), _branch(channels, channels), shortcut=())
        for i in range(1, STREAMS):
            residual = _residual(channels, channels)
            draft.connect((i - 1, down), (i, down), (MaxPool(), residual))
            draft.connect((i, up), (i - 1, up), (residual, Upsample("nearest")))
        after = _residual(channels, channels), *normed(Conv(channels, channels, kernel=1))
        draft.fuse((0, up), after=after)

    def _heat(self) -> Layers:
        """Heat maps, and back to features."""
        channels, classes = self.channels, self.classes
        return Conv(channels, classes, kernel=1), Conv(classes, channels, kernel=1)

    def _features(self) -> Layers:
        return (Conv(self.channels, self.channels, kernel=1),)

    def _stem(self) -> Layers:
        quarter, half = self.channels // 4, self.channels // 2
        return (
            *normed(Conv(self.in_channels, quarter, kernel=7, stride=2)),
            _residual(quarter, half),
            MaxPool(),
            _residual(half, half),
            _residual(half, self.channels),
        )


def _residual(channels_in: int, channels: int) -> Residual:
    projection = (Conv(channels_in, channels, kernel=1),) if channels_in != channels else ()
    return Residual(_branch(channels_in, channels), projection)


def _branch(channels_in: int, channels: int) -> Layers:
    """Bottleneck with BN and ReLU before every convolution (figure 4, left)."""
    half = channels // 2
    return (
        *(BatchNorm(channels_in), ReLU(), Conv(channels_in, half, kernel=1)),
        *(BatchNorm(half), ReLU(), Conv(half, half)),
        *(BatchNorm(half), ReLU(), Conv(half, channels, kernel=1)),
    )
