"""The normalization and the activation of a network, which its units, stem and head ask for.

A unit says where it normalizes and where it activates; the spec says with what. Add a choice as a
function and a line in a table below.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from gridgen.grid.layers import (
    GELU,
    BatchNorm,
    Conv,
    Deconv,
    GroupNorm,
    Layer,
    Layers,
    LeakyReLU,
    PReLU,
    ReLU,
    SiLU,
)
from gridgen.spec import GridSpec

GROUP = 16
"""Channels of one group of a group normalization (Wu and He 2018, section 4.1)."""


def batch(channels: int) -> Layers:
    """Batch normalization: over the batch in training, by running statistics in evaluation."""
    return (BatchNorm(channels),)


def instance(channels: int) -> Layers:
    """Instance normalization: each channel of each image by itself, in evaluation too."""
    # As a group normalization with groups of one channel, which has the same values and, unlike
    # torch's InstanceNorm, keeps the memory format channels_last.
    return (GroupNorm(channels, channels),)


def group(channels: int) -> Layers:
    """Group normalization: 16 channels a group, all as one group below that."""
    # Where 16 does not divide the channels, groups are the next larger that do.
    most = max(channels // GROUP, 1)
    return (GroupNorm(channels, next(n for n in range(most, 0, -1) if channels % n == 0)),)


def none(channels: int) -> Layers:
    """No normalization."""
    return ()


NORMS: dict[str, Callable[[int], Layers]] = {
    "batch": batch,
    "instance": instance,
    "group": group,
    "none": none,
}


def relu(channels: int) -> Layer:
    """max(x, 0), the paper's choice."""
    return ReLU()


def leaky_relu(channels: int) -> Layer:
    """X above zero, 0.01 x below."""
    return LeakyReLU()


def prelu(channels: int) -> Layer:
    """X above zero, a learnt slope for each channel below (He et al. 2015)."""
    return PReLU(channels)


def silu(channels: int) -> Layer:
    """X * sigmoid(x), also called swish."""
    return SiLU()


def gelu(channels: int) -> Layer:
    """X * Phi(x), Phi the normal distribution (Hendrycks and Gimpel 2016)."""
    return GELU()


ACTIVATIONS: dict[str, Callable[[int], Layer]] = {
    "relu": relu,
    "leaky-relu": leaky_relu,
    "prelu": prelu,
    "silu": silu,
    "gelu": gelu,
}


@dataclass(frozen=True, slots=True)
class Style:
    """Names from `NORMS` and `ACTIVATIONS`, and the number of sides of a map."""

    norm: str = "batch"
    activation: str = "relu"
    dimensions: int = 2

    def normalized(self, channels: int) -> Layers:
        """The normalization of a map."""
        return NORMS[self.norm](channels)

    def values_normalized(self, channels: int) -> Layers:
        """The normalization of an image or of logits, which exists for `batch` alone.

        Instance normalization of logits would set the mean of each class to 0 in every image.
        """
        return self.normalized(channels) if self.norm == "batch" else ()

    def activated(self, channels: int) -> Layers:
        """Normalization, then activation."""
        return (*self.normalized(channels), ACTIVATIONS[self.activation](channels))

    def before(self, layer: Conv | Deconv) -> Layers:
        """Pre-activation: normalization and activation before the layer (figure 2)."""
        return (*self.activated(layer.channels_in), layer)

    def after(self, layer: Conv | Deconv) -> Layers:
        """Post-activation: normalization and activation after the layer."""
        return (layer, *self.activated(layer.channels_out))


STYLE = ("norm", "activation", "dimensions")
"""The fields of a spec on which its style depends."""


def style_of(spec: GridSpec) -> Style:
    """The style that a spec asks for."""
    return Style(spec.norm, spec.activation, spec.dimensions)


RENAMED: Mapping[str, Mapping[str, str]] = {
    "lateral": {"residual-prelu": "residual"},
    "subsampling": {"strided-prelu": "strided"},
    "upsampling": {"bilinear-prelu": "bilinear"},
    "stem": {"prelu": "residual"},
    "head": {"prelu": "residual"},
}
"""Units, stems and heads of older files that had a style of their own, and their names today."""


def current(what: str, name: str, style: Style) -> tuple[str, Style]:
    """The name and style that `name` of an older file stands for; others stay as they are."""
    if name not in RENAMED[what]:
        return name, style
    return RENAMED[what][name], replace(style, norm="none", activation="prelu")
