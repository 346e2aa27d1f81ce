"""Layer records to torch modules: one `match`, and the modules missing from torch.nn."""

from typing import assert_never

from torch import Tensor, nn
from torch.nn import functional

from gridgen.grid import layers as records
from gridgen.grid.layers import Layer, Layers


class ResidualBlock(nn.Module):
    """The layers' output and the identity, projected where there is a `shortcut`."""

    def __init__(self, layers: nn.Sequential, shortcut: nn.Sequential | None) -> None:
        super().__init__()
        self.layers = layers
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(N, F, H, W) -> as the layers."""
        identity = x if self.shortcut is None else self.shortcut(x)
        return self.layers(x) + identity  # type: ignore[no-any-return]


CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
DECONVOLUTIONS = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
BATCH_NORMS = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
MAX_POOLS = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVERAGE_POOLS = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}
POOLING = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
UNPOOLING = {1: functional.max_unpool1d, 2: functional.max_unpool2d, 3: functional.max_unpool3d}
LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def torch_mode(mode: str, dimensions: int) -> str:
    """The interpolation `bilinear` or `nearest` as torch calls it in so many dimensions."""
    return LINEAR[dimensions] if mode == "bilinear" else mode


class StridedPointwise(nn.Conv2d):
    """A 1x1 convolution of stride s, as one of stride 1 on every s-th row and column.

    (N, F, H, W) -> (N, G, ceil(H / s), ceil(W / s)), the same numbers. With fewer than 8 channels
    in memory format channels_last, the backward pass of the strided form in oneDNN writes past its
    workspace on CPUs without AVX-512, which ends the process (oneDNN issue 6035; torch 2.13).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Every s-th row and column, then the convolution."""
        down, along = self.stride
        return functional.conv2d(
            x[..., ::down, ::along], self.weight, self.bias, groups=self.groups
        )


class Unpool(nn.Module):
    """Values back to where the 2 x 2 maxima of the auxiliary input are, zeros elsewhere.

    The positions are found again rather than kept from the pooling: a module without memory of
    its last input can be called from several threads, compiled and exported.
    """

    def forward(self, x: Tensor, auxiliary: Tensor) -> Tensor:
        """(N, F, H, W) and (N, F, 2H, 2W) -> (N, F, 2H, 2W)."""
        dimensions, sides = x.dim() - 2, list(auxiliary.shape[2:])
        _, places = POOLING[dimensions](auxiliary, 2, ceil_mode=True, return_indices=True)
        return UNPOOLING[dimensions](x, places, [2] * dimensions, output_size=sides)


class ResizeLike(nn.Module):
    """Interpolation to the size of the auxiliary input."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor, auxiliary: Tensor) -> Tensor:
        """(N, F, H, W) and (N, G, H', W') -> (N, F, H', W')."""
        return functional.interpolate(x, size=auxiliary.shape[2:], mode=self.mode)


class SequentialWithAuxiliary(nn.Sequential):
    """Layers in sequence, of which some read an auxiliary input."""

    def forward(self, x: Tensor, auxiliary: Tensor) -> Tensor:  # type: ignore[override]
        """Run the layers in turn, with the auxiliary input for those that read it."""
        for layer in self:
            x = layer(x, auxiliary) if isinstance(layer, Unpool | ResizeLike) else layer(x)
        return x


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
    return SequentialWithAuxiliary(*modules) if reads else nn.Sequential(*modules)


def lower_layer(layer: Layer, fresh: bool) -> nn.Module:
    """The module of one layer; `fresh` says that nobody else reads its input."""
    match layer:
        case records.Conv():
            # oneDNN corrupts memory in the backward pass of these, see the class; no such fault
            # was found in one and three dimensions.
            few = layer.channels_in // layer.groups < 8 and layer.kernel == 1 < layer.stride
            strided = few and layer.dimensions == 2
            return (StridedPointwise if strided else CONVOLUTIONS[layer.dimensions])(
                layer.channels_in,
                layer.channels_out,
                layer.kernel,
                layer.stride,
                padding=layer.padding,
                dilation=layer.dilation,
                groups=layer.groups,
                bias=layer.bias,
            )
        case records.Deconv():
            return DECONVOLUTIONS[layer.dimensions](
                layer.channels_in,
                layer.channels_out,
                layer.kernel,
                layer.stride,
                padding=layer.padding,
                output_padding=layer.output_padding,
                bias=layer.bias,
            )
        case records.BatchNorm(channels, dimensions):
            return BATCH_NORMS[dimensions](channels)
        case records.GroupNorm(channels, groups):
            return nn.GroupNorm(groups, channels)
        case records.ReLU():
            return nn.ReLU(inplace=fresh)
        case records.LeakyReLU():
            return nn.LeakyReLU(inplace=fresh)
        case records.GELU():
            return nn.GELU()
        case records.SiLU():
            return nn.SiLU(inplace=fresh)
        case records.PReLU(slopes):
            return nn.PReLU(slopes)
        # torch pads pooling with minus infinity, so padded places never win.
        case records.MaxPool(kernel, stride, dimensions):
            pool = MAX_POOLS[dimensions]
            return pool(kernel, stride, layer.padding, ceil_mode=kernel == stride)
        case records.MaxUnpool():
            return Unpool()
        case records.AveragePool(bins, dimensions):
            return AVERAGE_POOLS[dimensions](bins)
        case records.Upsample(mode, factor, dimensions):
            return nn.Upsample(scale_factor=factor, mode=torch_mode(mode, dimensions))
        case records.Resize(mode, dimensions):
            return ResizeLike(torch_mode(mode, dimensions))
        case records.Residual(layers, shortcut):
            return ResidualBlock(lower(layers), lower(shortcut) if shortcut else None)
    assert_never(layer)
