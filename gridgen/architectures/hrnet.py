"""High-resolution network: streams side by side that exchange everything again and again."""

from typing import Literal

from pydantic import Field

from gridgen.architectures.blocks import basic, bottleneck, normed
from gridgen.grid import Architecture, Draft, FeatureMap, Grid
from gridgen.grid.fusions import CONCAT, SUM
from gridgen.grid.lattices import chain, trellis
from gridgen.grid.layers import BatchNorm, Conv, Layers, ReLU, Upsample

MODULES = (1, 4, 3)
"""Exchange modules of stages 2, 3, 4, which have 2, 3, 4 streams."""


class Hrnet(Architecture):
    """Sun, Xiao, Liu, Wang: Deep high-resolution representation learning, CVPR 2019, figure 1.

    The end is HRNetV2's (Sun, Zhao, Jiang et al.: High-resolution representations for labeling
    pixels and regions, 2019). Keeps of the grid: streams that live
    side by side, sums, channels that double. Adds: an exchange between all pairs of streams from
    one column to the next, by chained 3 x 3 convolutions of stride 2 down and a 1 x 1 convolution
    with bilinear upsampling up (as in the authors' code for segmentation); four residual blocks as
    each map's own layers; a stream is opened by a step down from the last; at the end all streams
    are concatenated. The prediction at 1/4 is bilinearly upsampled, as in the original.

    Parameters with w = 48, 3 channels to 19 classes: stem 38,848, stage 1 286,208, transition from
    256 channels 9 * 256 * 3 w + 6 w = 332,064, openings of streams 2 and 3 360 w w + 24 w. Blocks
    72 c c + 16 c a map of c channels: 24,768 w w + 1,216 w. Exchanges of 2, 3, 4 streams 20, 149,
    763 w w and 6, 30, 100 w: (20 + 4 * 149 + 3 * 763) w w + 426 w. End 225 w w + 45 w, classes
    15 w * 19 + 19. In all 28,258 w w + 1,711 w + 332,064 + 325,056 + 13,699 = 65,859,379, as
    published (65.8 M).
    """

    architecture: Literal["hrnet"]
    width: int = Field(default=48, ge=1, le=256, description="Channels of stream 0.")

    @property
    def multiple(self) -> int:
        """Stream 0 works at 1/4, stream 3 at 1/32."""
        return 4 << len(MODULES)

    def fill(self) -> Grid:
        """Column 1 ends stage 1; each later stage opens a stream, enters it, and exchanges."""
        draft = Draft()
        draft.connect((0, 0), (0, 1), (*bottleneck(64, 256), *bottleneck(256, 256) * 3))
        column = 1
        for lowest, modules in enumerate(MODULES, start=1):
            self._open_stream(draft, column, lowest)
            for module in range(modules + 1):
                column += 1
                self._add_column(draft, column, lowest, module, blocks=module < modules)
        return self._end(draft, column)

    def _open_stream(self, draft: Draft, column: int, lowest: int) -> None:
        for source, target in chain(column, range(lowest - 1, lowest + 1)):
            draft.connect(source, target, normed(self._conv(source, target, stride=2)))

    def _add_column(
        self, draft: Draft, column: int, lowest: int, module: int, blocks: bool
    ) -> None:
        """Into the stage (`module` 0), or the exchange that ends the module."""
        streams = range(lowest + 1)
        for source, target in trellis(streams, column, span=lowest if module else 0):
            draft.connect(source, target, self._exchange(source, target))
        for i in streams:
            channels = self.width << i
            rectified = (ReLU(),) if module else ()
            branch = basic(channels, channels) * 4 if blocks else ()
            draft.fuse((i, column), SUM, (*rectified, *branch))

    def _end(self, draft: Draft, column: int) -> Grid:
        streams = range(len(MODULES) + 1)
        for i in streams:
            unit = (Upsample("bilinear", 1 << i),) if i else ()
            draft.connect((i, column), (0, column + 1), unit)
        draft.fuse((0, column + 1), CONCAT)
        wide = sum(self.width << i for i in streams)
        return draft.grid(
            self,
            stem=(
                *normed(Conv(self.in_channels, 64, stride=2, bias=False)),
                *normed(Conv(64, 64, stride=2, bias=False)),
            ),
            head=(
                *normed(Conv(wide, wide, kernel=1)),
                Conv(wide, self.classes, kernel=1),
                Upsample("bilinear", 4),
            ),
        )

    def _exchange(self, source: FeatureMap, target: FeatureMap) -> Layers:
        channels = self._channels(target)
        steps = target.stream - source.stream
        if steps < 0:
            conv = self._conv(source, target, kernel=1)
            return conv, BatchNorm(channels), Upsample("bilinear", 1 << -steps)
        if steps == 0:
            # Stage 1 has 256 channels, so its stream needs a convolution where others pass.
            same = self._channels(source) == channels
            return () if same else normed(self._conv(source, target))
        # Each step but the last keeps the channels of the source, as in the authors' code.
        halving = normed(self._conv(source, source, stride=2)) * (steps - 1)
        return *halving, self._conv(source, target, stride=2), BatchNorm(channels)

    def _conv(
        self, source: FeatureMap, target: FeatureMap, kernel: int = 3, stride: int = 1
    ) -> Conv:
        channels_in, channels = self._channels(source), self._channels(target)
        return Conv(channels_in, channels, kernel=kernel, stride=stride, bias=False)

    def _channels(self, place: FeatureMap) -> int:
        """Of stage 1 always 256."""
        return 256 if place == (0, 1) else self.width << place.stream
