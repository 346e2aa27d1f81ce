"""Modules that torch has not: the residual block, and layers that look at a further map."""

from torch import Tensor, nn
from torch.nn import functional


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


class Unpool(nn.Module):
    """Values back to where the 2 x 2 maxima of `seen` are, zeros elsewhere.

    The positions are found again rather than kept from the pooling: a module without memory of
    its last input can be called from several threads, compiled and exported.
    """

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """(N, F, H, W) and (N, F, 2H, 2W) -> (N, F, 2H, 2W)."""
        _, places = functional.max_pool2d(seen, 2, ceil_mode=True, return_indices=True)
        return functional.max_unpool2d(x, places, [2, 2], output_size=list(seen.shape[-2:]))


class ResizeLike(nn.Module):
    """Interpolation to the size of `seen`."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """(N, F, H, W) and (N, G, H', W') -> (N, F, H', W')."""
        return functional.interpolate(x, size=seen.shape[-2:], mode=self.mode)


class Reading(nn.Sequential):
    """Layers in sequence, of which some look at a further map."""

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:  # type: ignore[override]
        """As `nn.Sequential`, with the further map for those that look at it."""
        for layer in self:
            x = layer(x, seen) if isinstance(layer, Unpool | ResizeLike) else layer(x)
        return x
