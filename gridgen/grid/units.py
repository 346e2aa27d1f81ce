"""Units: the layers on one connection. Add one as a function and a line in the table below.

A unit maps the style of the network, channels in and channels out to layers. Lateral units keep the
resolution, subsampling units halve it (rounding up), upsampling units double it. Whether the
identity is added is the connection's affair, not the unit's; nor does a unit say whether the maps
have one, two or three sides.
"""

from collections.abc import Callable
from typing import Literal

from gridgen.grid.layers import Conv, Deconv, Layers, MaxPool, Upsample, in_dimensions
from gridgen.grid.styles import Style, current

Kind = Literal["lateral", "subsampling", "upsampling"]
Unit = Callable[[Style, int, int], Layers]


def residual(style: Style, channels_in: int, channels_out: int) -> Layers:
    """Green unit of figure 2: BN-ReLU-conv twice. (N, F, H, W) -> (N, F, H, W)."""
    return (
        *style.before(Conv(channels_in, channels_out)),
        *style.before(Conv(channels_out, channels_out)),
    )


def bottleneck(style: Style, channels_in: int, channels_out: int) -> Layers:
    """BN-ReLU-conv three times, 1x1 to a quarter of the channels, 3x3, 1x1 (He et al. 2016).

    (N, F, H, W) -> (N, F, H, W) with about 17/288 of the residual unit's weights.
    """
    # Widths below 4 are legal in a search, and a convolution needs a channel.
    narrow = max(channels_out // 4, 1)
    return (
        *style.before(Conv(channels_in, narrow, kernel=1)),
        *style.before(Conv(narrow, narrow)),
        *style.before(Conv(narrow, channels_out, kernel=1)),
    )


def separable(style: Style, channels_in: int, channels_out: int) -> Layers:
    """BN-ReLU before each of two depthwise-separable convolutions (Howard et al. 2017).

    (N, F, H, W) -> (N, F, H, W) with about (F + 9) / 9F of the residual unit's weights.
    """
    return _separable(style, channels_in, channels_out, stride=1)


def strided(style: Style, channels_in: int, channels_out: int) -> Layers:
    """Red unit of figure 2: half the resolution by a convolution of stride 2, then another.

    (N, F, H, W) -> (N, 2F, H/2, W/2).
    """
    return (
        *style.before(Conv(channels_in, channels_out, stride=2)),
        *style.before(Conv(channels_out, channels_out)),
    )


def max_pool(style: Style, channels_in: int, channels_out: int) -> Layers:
    """Half the resolution by max-pooling 2x2, then BN-ReLU-conv twice.

    (N, F, H, W) -> (N, 2F, H/2, W/2).
    """
    return (MaxPool(), *residual(style, channels_in, channels_out))


def strided_separable(style: Style, channels_in: int, channels_out: int) -> Layers:
    """Half the resolution by a depthwise-separable convolution of stride 2, then another.

    (N, F, H, W) -> (N, 2F, H/2, W/2).
    """
    return _separable(style, channels_in, channels_out, stride=2)


def deconv(style: Style, channels_in: int, channels_out: int) -> Layers:
    """Yellow unit of figure 2: twice the resolution by a transposed convolution, then another.

    (N, F, H, W) -> (N, F/2, 2H, 2W).
    """
    return (
        *style.before(Deconv(channels_in, channels_out, stride=2)),
        *style.before(Deconv(channels_out, channels_out)),
    )


def bilinear(style: Style, channels_in: int, channels_out: int) -> Layers:
    """Twice the resolution by bilinear interpolation, then BN-ReLU-conv twice.

    (N, F, H, W) -> (N, F/2, 2H, 2W). Free of the checkerboard that a 3x3 stride-2 transposed
    convolution can leave, at four times the multiply-accumulates of its first layer.
    """
    return (Upsample("bilinear"), *residual(style, channels_in, channels_out))


def bilinear_separable(style: Style, channels_in: int, channels_out: int) -> Layers:
    """Twice the resolution by bilinear interpolation, then two depthwise-separable convolutions.

    (N, F, H, W) -> (N, F/2, 2H, 2W).
    """
    return (Upsample("bilinear"), *separable(style, channels_in, channels_out))


def _separable(style: Style, channels_in: int, channels_out: int, stride: int) -> Layers:
    """Depthwise 3x3, then 1x1, twice; the first is of `stride`."""
    return (
        *style.before(Conv(channels_in, channels_in, stride=stride, groups=channels_in)),
        *style.before(Conv(channels_in, channels_out, kernel=1)),
        *style.before(Conv(channels_out, channels_out, groups=channels_out)),
        *style.before(Conv(channels_out, channels_out, kernel=1)),
    )


UNITS: dict[Kind, dict[str, Unit]] = {
    "lateral": {"residual": residual, "bottleneck": bottleneck, "separable": separable},
    "subsampling": {"strided": strided, "max-pool": max_pool, "separable": strided_separable},
    "upsampling": {"deconv": deconv, "bilinear": bilinear, "separable": bilinear_separable},
}


def down_shortcut(channels_in: int, channels_out: int) -> Layers:
    """Identity of a residual subsampling connection: 1x1 convolution, stride 2."""
    return (Conv(channels_in, channels_out, kernel=1, stride=2),)


def up_shortcut(channels_in: int, channels_out: int) -> Layers:
    """Identity of a residual upsampling connection: 1x1 convolution, then nearest upsampling."""
    return Conv(channels_in, channels_out, kernel=1), Upsample("nearest")


SHORTCUTS: dict[Kind, Callable[[int, int], Layers]] = {
    "lateral": lambda _in, _out: (),
    "subsampling": down_shortcut,
    "upsampling": up_shortcut,
}


def unit_layers(kind: Kind, name: str, style: Style, channels_in: int, channels_out: int) -> Layers:
    """The layers of the unit `name`."""
    name, style = current(kind, name, style)
    layers = UNITS[kind][name](style, channels_in, channels_out)
    return in_dimensions(layers, style.dimensions)


def shortcut_layers(kind: Kind, style: Style, channels_in: int, channels_out: int) -> Layers:
    """The projection of the identity on a connection of `kind`; () where it fits as it is."""
    return in_dimensions(SHORTCUTS[kind](channels_in, channels_out), style.dimensions)
