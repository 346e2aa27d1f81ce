"""Stems and heads: the layers before X(0, 0) and after the last map of stream 0."""

from collections.abc import Callable
from typing import Literal

from gridgen.grid.layers import Conv, Deconv, Layers, Residual, Upsample, in_dimensions
from gridgen.grid.styles import Style, current
from gridgen.spec.gridspec import STEM_STRIDES

End = Literal["stem", "head"]
Stem = Callable[[Style, int, int], Layers]
"""From the style, the channels of the image and those of stream 0."""
Head = Callable[[Style, int, int, int], Layers]
"""From the style, the channels of stream 0, the classes, and the stride of the stem to undo."""


def conv_stem(style: Style, in_channels: int, channels: int) -> Layers:
    """Authors' code: BN on the image, then conv-BN-ReLU twice; not residual.

    (N, n_in, H, W), values in [0, 1] -> (N, F0, H, W).
    """
    return _conv_stem(style, in_channels, channels, stride=1)


def strided_stem(style: Style, in_channels: int, channels: int) -> Layers:
    """Stem `conv` with a first convolution of stride 2: all streams have half the resolution.

    (N, n_in, H, W), values in [0, 1] -> (N, F0, H/2, W/2).
    """
    return _conv_stem(style, in_channels, channels, stride=2)


def residual_stem(style: Style, in_channels: int, channels: int) -> Layers:
    """Conv-BN-ReLU-conv beside a 1x1 convolution, both added (Niklaus and Liu, CVPR 2018).

    (N, n_in, H, W) -> (N, F0, H, W).
    """
    return (_block(style, in_channels, channels, channels),)


def deconv_head(style: Style, channels: int, classes: int, stride: int) -> Layers:
    """Authors' code: deconv-BN-ReLU-deconv-BN; the last layer is a BN on the logits.

    (N, F0, H, W) -> (N, K, H, W); the first layer has the stride of the stem.
    """
    return (
        *style.after(Deconv(channels, classes, stride)),
        # Its bias has no effect before BN; it stays, since the code of the authors has it.
        Deconv(classes, classes),
        *style.values_normalized(classes),
    )


def conv_head(style: Style, channels: int, classes: int, stride: int) -> Layers:
    """BN-ReLU, then one 1x1 convolution to the classes. (N, F0, H, W) -> (N, K, H, W).

    After a strided stem the logits are interpolated.
    """
    return (*style.before(Conv(channels, classes, kernel=1)), *_enlarged(stride))


def bilinear_head(style: Style, channels: int, classes: int, stride: int) -> Layers:
    """BN-ReLU, then one 3x3 convolution to the classes. (N, F0, H, W) -> (N, K, H, W).

    After a strided stem the map is interpolated first, so that the convolution sees full size.
    """
    return (*_enlarged(stride), *style.before(Conv(channels, classes)))


def residual_head(style: Style, channels: int, classes: int, stride: int) -> Layers:
    """Conv-BN-ReLU-conv beside a 1x1 convolution, both added (Niklaus and Liu, CVPR 2018).

    (N, F0, H, W) -> (N, K, H, W). After a strided stem the map is interpolated first.
    """
    return (*_enlarged(stride), _block(style, channels, channels, classes))


def _conv_stem(style: Style, in_channels: int, channels: int, stride: int) -> Layers:
    return (
        *style.values_normalized(in_channels),
        *style.after(Conv(in_channels, channels, stride=stride)),
        *style.after(Conv(channels, channels)),
    )


def _block(style: Style, channels_in: int, between: int, channels_out: int) -> Residual:
    """The lateral block where channels change (Niklaus and Liu, CVPR 2018 and 2020)."""
    layers = *style.after(Conv(channels_in, between)), Conv(between, channels_out)
    return Residual(layers, (Conv(channels_in, channels_out, kernel=1),))


def _enlarged(stride: int) -> Layers:
    """Bilinear interpolation to `stride` times the size."""
    return (Upsample("bilinear", stride),) if stride > 1 else ()


STEMS: dict[str, Stem] = {"conv": conv_stem, "strided": strided_stem, "residual": residual_stem}
"""A stem that divides the sides stands in `STEM_STRIDES` too."""
HEADS: dict[str, Head] = {
    "deconv": deconv_head,
    "conv": conv_head,
    "bilinear": bilinear_head,
    "residual": residual_head,
}


def stem_layers(name: str, style: Style, in_channels: int, channels: int) -> Layers:
    """The layers of the stem `name`."""
    name, style = current("stem", name, style)
    return in_dimensions(STEMS[name](style, in_channels, channels), style.dimensions)


def side_layers(name: str, style: Style, in_channels: int, channels: int) -> Layers:
    """The layers of features that enter beside the image: those of the stem, without a stride."""
    # The features come at the size of their map, whatever the stem does to the image.
    return stem_layers("conv" if name in STEM_STRIDES else name, style, in_channels, channels)


def head_layers(name: str, style: Style, channels: int, classes: int, stride: int) -> Layers:
    """The layers of the head `name`, which undoes the `stride` of the stem."""
    name, style = current("head", name, style)
    return in_dimensions(HEADS[name](style, channels, classes, stride), style.dimensions)
