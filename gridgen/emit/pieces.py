"""Modules that torch lacks. Exported source copies their text, lines of 88 columns that need torch
alone.

What a class needs of this file (`POOLING` for `Unpool`) is copied with it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

POOLING = {
    1: (functional.max_pool1d, functional.max_unpool1d),
    2: (functional.max_pool2d, functional.max_unpool2d),
    3: (functional.max_pool3d, functional.max_unpool3d),
}


class StridedPointwise(nn.Conv2d):
    """A 1x1 convolution of stride s, as one of stride 1 on every s-th row and column.

    (N, F, H, W) -> (N, G, ceil(H / s), ceil(W / s)), the same numbers. With fewer than
    8 channels in memory format channels_last, the backward pass of the strided form in
    oneDNN writes past its workspace on CPUs without AVX-512, which ends the process
    (oneDNN issue 6035; torch 2.13).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Every s-th row and column, then the convolution."""
        down, along = self.stride
        x = x[..., ::down, ::along]
        return functional.conv2d(x, self.weight, self.bias, groups=self.groups)


class ImagenetNormalization(nn.Module):
    """Colours minus ImageNet's mean, over its deviation, as weights trained there expect."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 3, H, W), red first, values in [0, 1] before."""
        mean, deviation = self.get_buffer("mean"), self.get_buffer("deviation")
        return (x - mean[:, None, None]) / deviation[:, None, None]


class Unpool(nn.Module):
    """Values back to where the 2 x 2 maxima of the auxiliary input are, else zeros.

    The positions are found again rather than kept from the pooling: a module without
    memory of its last input can be called from several threads, compiled and exported.
    """

    def forward(self, x: Tensor, auxiliary: Tensor) -> Tensor:
        """(N, F, H, W) and (N, F, 2H, 2W) -> (N, F, 2H, 2W)."""
        sides = list(auxiliary.shape[2:])
        pool, unpool = POOLING[len(sides)]
        _, places = pool(auxiliary, 2, ceil_mode=True, return_indices=True)
        return unpool(x, places, [2] * len(sides), output_size=sides)


class AveragePooling(nn.Module):
    """Means over a regular division of the map, whatever its size.

    torch exports its own pooling with the bins of the example's size, silently; while a
    program is exported, each side is multiplied by a matrix of shares instead.
    """

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.bins = bins

    def forward(self, x: Tensor) -> Tensor:
        """(N, F, H, W) -> (N, F, bins, bins)."""
        if not torch.compiler.is_exporting():
            pool = (
                functional.adaptive_avg_pool1d,
                functional.adaptive_avg_pool2d,
                functional.adaptive_avg_pool3d,
            )[x.dim() - 3]
            return pool(x, self.bins)
        for dim in range(2, x.dim()):
            x = (x.movedim(dim, -1) @ self.shares(x, dim)).movedim(-1, dim)
        return x

    def shares(self, x: Tensor, dim: int) -> Tensor:
        """(side, bins): what each row adds to each bin; bins may overlap by a row."""
        side = x.shape[dim]
        rows, bins = (torch.arange(n, device=x.device) for n in (side, self.bins))
        first, end = bins * side // self.bins, ((bins + 1) * side - 1) // self.bins + 1
        inside = (rows[:, None] >= first) & (rows[:, None] < end)
        return inside.to(x.dtype) / (end - first).to(x.dtype)


class ResizeLike(nn.Module):
    """Interpolation to the size of the auxiliary input."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor, auxiliary: Tensor) -> Tensor:
        """(N, F, H, W) and (N, G, H', W') -> (N, F, H', W')."""
        return functional.interpolate(x, size=auxiliary.shape[2:], mode=self.mode)


class ResidualBlock(nn.Module):
    """The layers' output and the identity, projected where there is a `shortcut`."""

    def __init__(self, layers: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.layers = layers
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(N, F, H, W) -> as the layers."""
        identity = x if self.shortcut is None else self.shortcut(x)
        total: Tensor = self.layers(x) + identity
        return total


class SequentialWithAuxiliary(nn.Sequential):
    """Layers in sequence, of which some read an auxiliary input."""

    def forward(self, x: Tensor, auxiliary: Tensor) -> Tensor:  # type: ignore[override]
        """Run the layers in turn, with the auxiliary input for those that read it."""
        for layer in self:
            x = layer(x, auxiliary) if isinstance(layer, Unpool | ResizeLike) else layer(x)
        return x
