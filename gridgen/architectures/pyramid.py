"""What feature pyramids share: a residual network as column 0, the way down the pyramid, the end.

Streams 0..3 work at 1/4..1/32 of the image's size; column 0 holds the outputs of the stages.
"""

from typing import Annotated, Literal

from pydantic import Field

from gridgen.architectures.blocks import RESNETS, basic, bottleneck, resnet_stem
from gridgen.grid import Architecture, Draft, Grid
from gridgen.grid.layers import Conv, GroupNorm, Layers, ReLU, Upsample

Depth = Annotated[
    Literal[18, 34, 50, 101], Field(description="Layers of the residual network in column 0.")
]
STREAMS = 4
"""Stages of a residual network, each of half the resolution of the one before."""

CHANNELS, NARROW = 256, 128
"""Channels of the pyramid, and of the end where its streams meet."""


class MergedPyramid(Architecture):
    """A residual network down, a pyramid up, one more column, and all streams added up.

    What the networks of this form differ in is the column, which `last_column` adds.
    """

    depth: Depth = 50

    @property
    def multiple(self) -> int:
        """The last stage works at 1/32."""
        return 32

    def fill(self) -> Grid:
        """Column 0 down, column 1 up, column 2 as the network has it, all to X(0, 3)."""
        draft = Draft()
        backbone(draft, self.depth)
        top_down(draft, self.depth, CHANNELS)
        self.last_column(draft)
        merge(draft, 2, CHANNELS, NARROW)
        return draft.grid(
            self,
            stem=backbone_stem(self.depth, self.in_channels),
            head=merged_head(NARROW, self.classes),
        )

    def last_column(self, draft: Draft) -> None:
        """From column 1 to column 2."""
        raise NotImplementedError


def stage_channels(depth: int) -> tuple[int, ...]:
    """Channels that each stage ends with (He et al. 2016, table 1)."""
    return tuple((64 if depth < 50 else 256) << i for i in range(STREAMS))


def backbone_stem(depth: int, in_channels: int) -> Layers:
    """The layers up to the first stage's output, which is X(0, 0)."""
    return *resnet_stem(in_channels), *_stage(depth, 0)


def backbone(draft: Draft, depth: int) -> None:
    """The other stages, down column 0."""
    for i in range(1, STREAMS):
        draft.connect((i - 1, 0), (i, 0), _stage(depth, i))


def top_down(draft: Draft, depth: int, channels: int) -> None:
    """Up column 1: 1 x 1 laterals, nearest upsampling, sum (Lin et al. 2017, figure 3)."""
    for i, wide in enumerate(stage_channels(depth)):
        draft.connect((i, 0), (i, 1), (Conv(wide, channels, kernel=1),))
        if i > 0:
            draft.connect((i, 1), (i - 1, 1), (Upsample(),))


def merge(draft: Draft, column: int, channels: int, narrow: int) -> None:
    """All streams of a column, brought to stream 0 of the next and added up.

    Kirillov et al. 2019, figure 3: convolution 3 x 3, GN, ReLU and bilinear upsampling as often
    as the size is to be doubled; without upsampling, and once, in stream 0.
    """
    for i in range(STREAMS):
        unit = _grouped(channels, narrow)
        if i > 0:
            doubling = Upsample("bilinear")
            unit = (*unit, doubling, *(*_grouped(narrow, narrow), doubling) * (i - 1))
        draft.connect((i, column), (0, column + 1), unit)


def merged_head(narrow: int, classes: int) -> Layers:
    """1 x 1 to the classes, and bilinearly from a quarter of the size to the image's."""
    return Conv(narrow, classes, kernel=1), Upsample("bilinear", 4)


def _stage(depth: int, index: int) -> Layers:
    block = basic if depth < 50 else bottleneck
    channels = stage_channels(depth)
    before = channels[index - 1] if index else 64
    first = block(before, channels[index], stride=2 if index else 1)
    return first + block(channels[index], channels[index]) * (RESNETS[depth][index] - 1)


def _grouped(channels_in: int, channels_out: int) -> Layers:
    """Convolution 3 x 3, GN of 32 groups, ReLU."""
    conv = Conv(channels_in, channels_out, bias=False)
    return conv, GroupNorm(channels_out, 32), ReLU()
