"""Layer records to torch modules: one `match`, nothing else."""

from typing import assert_never

from torch import nn

from gridgen.grid.layers import (
    BatchNorm,
    Conv,
    Deconv,
    Layer,
    Layers,
    MaxPool,
    ReLU,
    Upsample,
)


def lower(layers: Layers) -> nn.Sequential:
    """The module of a layer sequence. A ReLU works in place where a BN or convolution is before it.

    A ReLU that comes first would overwrite a feature map that other units read.
    """
    before = (None, *layers)
    return nn.Sequential(
        *(
            lower_layer(layer, fresh=isinstance(previous, BatchNorm | Conv | Deconv))
            for previous, layer in zip(before, layers, strict=False)
        )
    )


def lower_layer(layer: Layer, fresh: bool) -> nn.Module:
    """The module of one layer; `fresh` says that nobody else reads its input."""
    match layer:
        case Conv(channels_in, channels_out, kernel, stride):
            return nn.Conv2d(channels_in, channels_out, kernel, stride, padding=kernel // 2)
        case Deconv(channels_in, channels_out, stride):
            return nn.ConvTranspose2d(
                channels_in, channels_out, 3, stride, padding=1, output_padding=stride - 1
            )
        case BatchNorm(channels):
            return nn.BatchNorm2d(channels)
        case ReLU():
            return nn.ReLU(inplace=fresh)
        case MaxPool():
            return nn.MaxPool2d(2, ceil_mode=True)
        case Upsample(mode):
            corners = None if mode == "nearest" else False
            return nn.Upsample(scale_factor=2, mode=mode, align_corners=corners)
    assert_never(layer)
