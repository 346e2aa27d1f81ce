"""The torch module of each layer, as data: emission makes it, exported source prints it. No torch.

One `match` says for every layer record which module it is. A module is one of `torch.nn`, or of
those that torch lacks, in `emit/pieces.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from gridgen.grid import layers as records
from gridgen.grid.layers import Layer, Layers

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


@dataclass(frozen=True, slots=True)
class ChannelCount:
    """A number of channels: what differs between units that are alike otherwise."""

    number: int


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """A module by its class and what its constructor is given; what is default is left out."""

    name: str
    arguments: "tuple[Argument, ...]" = ()
    options: "Mapping[str, Argument]" = field(default_factory=dict)


Modules = tuple[ModuleCall, ...]
"""Modules in sequence."""

Argument = ChannelCount | int | str | bool | Modules


def torch_mode(mode: str, dimensions: int) -> str:
    """The interpolation `bilinear` or `nearest` as torch calls it in so many dimensions."""
    return LINEAR[dimensions] if mode == "bilinear" else mode


def modules_of(layers: Layers) -> Modules:
    """The modules of a layer sequence.

    An activation runs in place where autograd does not save its input.
    One that comes first would overwrite a feature map that other units read.

    >>> modules_of((records.BatchNorm(16), records.ReLU()))
    (ModuleCall(name='BatchNorm2d', arguments=(ChannelCount(number=16),), options={}), \
ModuleCall(name='ReLU', arguments=(), options={'inplace': True}))
    """
    before = (None, *layers)
    return tuple(
        module_of(layer, fresh=previous is not None and previous.output_unsaved)
        for previous, layer in zip(before, layers, strict=False)
    )


def module_of(layer: Layer, fresh: bool) -> ModuleCall:
    """The module of one layer; `fresh` says that nobody else reads its input."""
    in_place: dict[str, Argument] = {"inplace": True} if fresh else {}
    match layer:
        case records.Conv():
            return _convolution(layer)
        case records.Deconv():
            return _deconvolution(layer)
        case records.BatchNorm(channels, dimensions):
            return ModuleCall(f"BatchNorm{dimensions}d", (ChannelCount(channels),))
        case records.GroupNorm(channels, groups):
            return ModuleCall("GroupNorm", (groups, ChannelCount(channels)))
        case records.ImagenetNorm():
            return ModuleCall("ImagenetNormalization")
        case records.ReLU():
            return ModuleCall("ReLU", options=in_place)
        case records.LeakyReLU():
            return ModuleCall("LeakyReLU", options=in_place)
        case records.GELU():
            return ModuleCall("GELU")
        case records.SiLU():
            return ModuleCall("SiLU", options=in_place)
        case records.PReLU(slopes):
            return ModuleCall("PReLU", (ChannelCount(slopes),) if slopes > 1 else ())
        # torch pads pooling with minus infinity, so padded places never win.
        case records.MaxPool(kernel, stride, dimensions):
            whole: dict[str, Argument] = (
                {"ceil_mode": True} if kernel == stride else {"padding": layer.padding}
            )
            return ModuleCall(f"MaxPool{dimensions}d", (kernel, stride), whole)
        case records.MaxUnpool():
            return ModuleCall("Unpool")
        case records.AveragePool(bins):
            return ModuleCall("AveragePooling", (bins,))
        case records.Upsample(mode, factor, dimensions):
            how: dict[str, Argument] = {
                "scale_factor": factor,
                "mode": torch_mode(mode, dimensions),
            }
            return ModuleCall("Upsample", options=how)
        case records.Resize(mode, dimensions):
            return ModuleCall("ResizeLike", (torch_mode(mode, dimensions),))
        case records.Residual(layers, shortcut):
            inside = [modules_of(each) for each in (layers, shortcut) if each]
            return ModuleCall("ResidualBlock", tuple(inside))
    assert_never(layer)


def _convolution(layer: records.Conv) -> ModuleCall:
    # oneDNN corrupts memory in the backward pass of these, see the class; no such fault was found
    # in one and three dimensions.
    few = layer.channels_in // layer.groups < 8 and layer.kernel == 1 < layer.stride
    depthwise = 1 < layer.groups == layer.channels_in
    options: dict[str, tuple[Argument, Argument]] = {
        "stride": (layer.stride, 1),
        "padding": (layer.padding, 0),
        "dilation": (layer.dilation, 1),
        "groups": (ChannelCount(layer.groups) if depthwise else layer.groups, 1),
        "bias": (layer.bias, True),
    }
    return ModuleCall(
        "StridedPointwise" if few and layer.dimensions == 2 else f"Conv{layer.dimensions}d",
        (ChannelCount(layer.channels_in), ChannelCount(layer.channels_out), layer.kernel),
        _not_default(options),
    )


def _deconvolution(layer: records.Deconv) -> ModuleCall:
    options: dict[str, tuple[Argument, Argument]] = {
        "stride": (layer.stride, 1),
        "padding": (layer.padding, 0),
        "output_padding": (layer.output_padding, 0),
        "bias": (layer.bias, True),
    }
    return ModuleCall(
        f"ConvTranspose{layer.dimensions}d",
        (ChannelCount(layer.channels_in), ChannelCount(layer.channels_out), layer.kernel),
        _not_default(options),
    )


def _not_default(options: Mapping[str, tuple[Argument, Argument]]) -> dict[str, Argument]:
    """The values that differ from what the constructor takes by itself."""
    return {name: value for name, (value, default) in options.items() if value != default}
