"""Convolutional neural fabric: every map reads its three neighbours of the column before."""

from typing import Literal

from pydantic import Field

from gridgen.grid import Architecture, Draft, FeatureMap, Grid
from gridgen.grid.fusions import SUM
from gridgen.grid.grid import kind_between
from gridgen.grid.lattices import chain, trellis
from gridgen.grid.layers import BatchNorm, Conv, Deconv, Layers, ReLU
from gridgen.spec import Classes


class NeuralFabric(Architecture):
    """Saxena, Verbeek: Convolutional Neural Fabrics, NIPS 2016, figure 1.

    Keeps of the grid: streams and columns, one unit per connection, sums. Adds: all inputs of a
    map come from the column before, so vertical connections are diagonal and lead both ways
    everywhere; vertical ones stand only in the first column, down, and in the last, up to the
    prediction. One 3 x 3 convolution each, of stride 2 down and after doubling with zeros up
    (which is a transposed convolution of stride 2); what arrives is summed, then BN and ReLU, as
    in the authors' code. Channels are constant. Left out: the sparse variant, where a channel
    reads three channels of its neighbours.

    Parameters with C = 64, 6 streams (down to 1 x 1 for images of 32 x 32), 8 columns, 3 channels
    to 3 classes (Part Labels): 7 * 16 trellis and 2 * 5 chain connections of 9 C C + C = 36,928
    are 4,505,216; BN at 48 maps 6,144; stem 1,792; 1 x 1 to the classes 195; in all 4,513,347.
    """

    architecture: Literal["neural-fabric"]
    classes: Classes = 3
    streams: int = Field(default=6, ge=1, le=9, description="Number of resolutions.")
    columns: int = Field(default=8, ge=2, le=32, description="Number of layers of the fabric.")
    channels: int = Field(default=64, ge=1, le=1024, description="Channels of every map.")

    @property
    def multiple(self) -> int:
        """Every stream halves the map."""
        return 1 << (self.streams - 1)

    def fill(self) -> Grid:
        """A trellis between two chains."""
        streams, last = range(self.streams), self.columns - 1
        draft = Draft()
        for source, target in chain(0, streams):
            draft.connect(source, target, self._unit(source, target))
        for column in range(1, self.columns):
            for source, target in trellis(streams, column, span=1):
                draft.connect(source, target, self._unit(source, target))
        # The output map is in stream 0, so the last column leads up where the first leads down.
        for source, target in chain(last, streams[::-1]):
            draft.connect(source, target, self._unit(source, target))
        for column in range(self.columns):
            for i in streams:
                draft.fuse((i, column), SUM, (BatchNorm(self.channels), ReLU()))
        return draft.grid(
            self,
            stem=(Conv(self.in_channels, self.channels),),
            head=(Conv(self.channels, self.classes, kernel=1),),
        )

    def _unit(self, source: FeatureMap, target: FeatureMap) -> Layers:
        channels = self.channels
        match kind_between(source, target):
            case "lateral":
                return (Conv(channels, channels),)
            case "subsampling":
                return (Conv(channels, channels, stride=2),)
            case "upsampling":
                return (Deconv(channels, channels, stride=2),)
