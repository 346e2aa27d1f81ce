"""Layer records to torch modules: one `match`, nothing else."""

from typing import assert_never

from torch import nn

from gridgen.emit.modules import Reading, ResidualBlock, ResizeLike, StridedPointwise, Unpool
from gridgen.grid.layers import (
    AveragePool,
    BatchNorm,
    Conv,
    Deconv,
    GroupNorm,
    Layer,
    Layers,
    MaxPool,
    MaxUnpool,
    PReLU,
    ReLU,
    Residual,
    Resize,
    SiLU,
    Upsample,
)


def lower(layers: Layers) -> nn.Sequential:
    """The module of a layer sequence.

    An activation runs in place where autograd does not save its input.
    One that comes first would overwrite a feature map that other units read.
    """
    before = (None, *layers)
    modules = [
        lower_layer(layer, fresh=previous is not None and previous.output_unsaved)
        for previous, layer in zip(before, layers, strict=False)
    ]
    reads = any(layer.needs_auxiliary for layer in layers)
    return Reading(*modules) if reads else nn.Sequential(*modules)


def lower_layer(layer: Layer, fresh: bool) -> nn.Module:
    """The module of one layer; `fresh` says that nobody else reads its input."""
    match layer:
        case Conv():
            # oneDNN corrupts memory in the backward pass of these; see the class.
            few = layer.channels_in // layer.groups < 8 and layer.kernel == 1 < layer.stride
            return (StridedPointwise if few else nn.Conv2d)(
                layer.channels_in,
                layer.channels_out,
                layer.kernel,
                layer.stride,
                padding=layer.padding,
                dilation=layer.dilation,
                groups=layer.groups,
                bias=layer.bias,
            )
        case Deconv():
            return nn.ConvTranspose2d(
                layer.channels_in,
                layer.channels_out,
                layer.kernel,
                layer.stride,
                padding=layer.padding,
                output_padding=layer.output_padding,
                bias=layer.bias,
            )
        case BatchNorm(channels):
            return nn.BatchNorm2d(channels)
        case GroupNorm(channels, groups):
            return nn.GroupNorm(groups, channels)
        case ReLU():
            return nn.ReLU(inplace=fresh)
        case SiLU():
            return nn.SiLU(inplace=fresh)
        case PReLU(slopes):
            return nn.PReLU(slopes)
        case MaxPool(kernel, stride):
            return nn.MaxPool2d(kernel, stride, layer.padding, ceil_mode=kernel == stride)
        case MaxUnpool():
            return Unpool()
        case AveragePool(bins):
            return nn.AdaptiveAvgPool2d(bins)
        case Upsample(mode, factor):
            return nn.Upsample(scale_factor=factor, mode=mode)
        case Resize(mode):
            return ResizeLike(mode)
        case Residual(layers, shortcut):
            return ResidualBlock(lower(layers), lower(shortcut) if shortcut else None)
    assert_never(layer)
