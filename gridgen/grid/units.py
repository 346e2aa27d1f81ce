"""Units: the layers on one connection. Add one as a function and a line in the table below.

A unit maps channels in and channels out to layers. Lateral units keep the resolution,
subsampling units halve it (rounding up), upsampling units double it. Whether the identity is
added is the connection's affair, not the unit's.
"""

from collections.abc import Callable
from typing import Literal

from gridgen.grid.layers import BatchNorm, Conv, Deconv, Layers, MaxPool, PReLU, ReLU, Upsample

Kind = Literal["lateral", "subsampling", "upsampling"]
Unit = Callable[[int, int], Layers]


def residual(channels_in: int, channels_out: int) -> Layers:
    """Green unit of figure 2: BN-ReLU-conv twice. (N, F, H, W) -> (N, F, H, W)."""
    return (
        *_before(Conv(channels_in, channels_out)),
        *_before(Conv(channels_out, channels_out)),
    )


def bottleneck(channels_in: int, channels_out: int) -> Layers:
    """BN-ReLU-conv three times, 1x1 to a quarter of the channels, 3x3, 1x1 (He et al. 2016).

    (N, F, H, W) -> (N, F, H, W) with about 17/288 of the residual unit's weights.
    """
    # Widths below 4 are legal in a search, and a convolution needs a channel.
    narrow = max(channels_out // 4, 1)
    return (
        *_before(Conv(channels_in, narrow, kernel=1)),
        *_before(Conv(narrow, narrow)),
        *_before(Conv(narrow, channels_out, kernel=1)),
    )


def strided(channels_in: int, channels_out: int) -> Layers:
    """Red unit of figure 2: half the resolution by a convolution of stride 2, then another.

    (N, F, H, W) -> (N, 2F, H/2, W/2).
    """
    return (
        *_before(Conv(channels_in, channels_out, stride=2)),
        *_before(Conv(channels_out, channels_out)),
    )


def max_pool(channels_in: int, channels_out: int) -> Layers:
    """Half the resolution by max-pooling 2x2, then BN-ReLU-conv twice.

    (N, F, H, W) -> (N, 2F, H/2, W/2).
    """
    return (MaxPool(), *residual(channels_in, channels_out))


def deconv(channels_in: int, channels_out: int) -> Layers:
    """Yellow unit of figure 2: twice the resolution by a transposed convolution, then another.

    (N, F, H, W) -> (N, F/2, 2H, 2W).
    """
    return (
        *_before(Deconv(channels_in, channels_out, stride=2)),
        *_before(Deconv(channels_out, channels_out)),
    )


def bilinear(channels_in: int, channels_out: int) -> Layers:
    """Twice the resolution by bilinear interpolation, then BN-ReLU-conv twice.

    (N, F, H, W) -> (N, F/2, 2H, 2W). Free of the checkerboard that a 3x3 stride-2 transposed
    convolution can leave, at four times the multiply-accumulates of its first layer.
    """
    return (Upsample("bilinear"), *residual(channels_in, channels_out))


def residual_prelu(channels_in: int, channels_out: int) -> Layers:
    """Unit `residual` with PReLU-conv twice, without BN. (N, F, H, W) -> (N, F, H, W).

    For networks that restore images, whose values BN would shift from batch to batch. One slope
    for each channel, as in frame interpolation (Niklaus and Liu, CVPR 2018 and 2020).
    """
    return (
        *_sloped(Conv(channels_in, channels_out)),
        *_sloped(Conv(channels_out, channels_out)),
    )


def strided_prelu(channels_in: int, channels_out: int) -> Layers:
    """Unit `strided` with PReLU-conv twice, without BN. (N, F, H, W) -> (N, 2F, H/2, W/2)."""
    return (
        *_sloped(Conv(channels_in, channels_out, stride=2)),
        *_sloped(Conv(channels_out, channels_out)),
    )


def bilinear_prelu(channels_in: int, channels_out: int) -> Layers:
    """Unit `bilinear` with PReLU-conv twice, without BN. (N, F, H, W) -> (N, F/2, 2H, 2W)."""
    return (Upsample("bilinear"), *residual_prelu(channels_in, channels_out))


def _before(layer: Conv | Deconv) -> Layers:
    """Pre-activation: BN-ReLU before the layer (figure 2)."""
    return BatchNorm(layer.channels_in), ReLU(), layer


def _sloped(layer: Conv) -> Layers:
    """Pre-activation: PReLU before the layer."""
    return PReLU(layer.channels_in), layer


UNITS: dict[Kind, dict[str, Unit]] = {
    "lateral": {
        "residual": residual,
        "bottleneck": bottleneck,
        "residual-prelu": residual_prelu,
    },
    "subsampling": {"strided": strided, "max-pool": max_pool, "strided-prelu": strided_prelu},
    "upsampling": {"deconv": deconv, "bilinear": bilinear, "bilinear-prelu": bilinear_prelu},
}


def down_shortcut(channels_in: int, channels_out: int) -> Layers:
    """Identity of a residual subsampling connection: 1x1 convolution, stride 2."""
    return (Conv(channels_in, channels_out, kernel=1, stride=2),)


def up_shortcut(channels_in: int, channels_out: int) -> Layers:
    """Identity of a residual upsampling connection: 1x1 convolution, then nearest upsampling."""
    return Conv(channels_in, channels_out, kernel=1), Upsample("nearest")


SHORTCUTS: dict[Kind, Unit] = {
    "lateral": lambda _in, _out: (),
    "subsampling": down_shortcut,
    "upsampling": up_shortcut,
}
