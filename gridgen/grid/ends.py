"""Stems and heads: the layers before X(0, 0) and after the last map of stream 0."""

from collections.abc import Callable

from gridgen.grid.layers import BatchNorm, Conv, Deconv, Layers, PReLU, ReLU, Residual

End = Callable[[int, int], Layers]


def conv_stem(in_channels: int, channels: int) -> Layers:
    """Authors' code: BN on the image, then conv-BN-ReLU twice; not residual.

    (N, n_in, H, W), values in [0, 1] -> (N, F0, H, W).
    """
    return (
        BatchNorm(in_channels),
        *_after(Conv(in_channels, channels)),
        *_after(Conv(channels, channels)),
    )


def deconv_head(channels: int, classes: int) -> Layers:
    """Authors' code: deconv-BN-ReLU-deconv-BN, stride 1; the last layer is a BN on the logits.

    (N, F0, H, W) -> (N, K, H, W).
    """
    return (
        *_after(Deconv(channels, classes)),
        # Its bias has no effect before BN; it stays, since the code of the authors has it.
        Deconv(classes, classes),
        BatchNorm(classes),
    )


def conv_head(channels: int, classes: int) -> Layers:
    """BN-ReLU, then one 1x1 convolution to the classes. (N, F0, H, W) -> (N, K, H, W)."""
    return BatchNorm(channels), ReLU(), Conv(channels, classes, kernel=1)


def prelu_stem(in_channels: int, channels: int) -> Layers:
    """Conv-PReLU-conv beside a 1x1 convolution, both added; no BN, for restoring images.

    (N, n_in, H, W) -> (N, F0, H, W).
    """
    return (_block(in_channels, channels, channels),)


def prelu_head(channels: int, classes: int) -> Layers:
    """Conv-PReLU-conv beside a 1x1 convolution, both added; no BN, for restoring images.

    (N, F0, H, W) -> (N, K, H, W).
    """
    return (_block(channels, channels, classes),)


def _block(channels_in: int, between: int, channels_out: int) -> Residual:
    """The lateral block where channels change (Niklaus and Liu, CVPR 2018 and 2020)."""
    layers = Conv(channels_in, between), PReLU(between), Conv(between, channels_out)
    return Residual(layers, (Conv(channels_in, channels_out, kernel=1),))


def _after(layer: Conv | Deconv) -> Layers:
    """Post-activation: BN-ReLU after the layer."""
    return layer, BatchNorm(layer.channels_out), ReLU()


STEMS: dict[str, End] = {"conv": conv_stem, "prelu": prelu_stem}
HEADS: dict[str, End] = {"deconv": deconv_head, "conv": conv_head, "prelu": prelu_head}
