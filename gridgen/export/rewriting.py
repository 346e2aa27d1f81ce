"""A network as runtimes compute it faster: the same numbers in evaluation, up to rounding.

A BN behind a convolution is folded into it. A deconvolution of stride 2 becomes a convolution of
kernel 2 with four times as many channels, which are then shuffled to their pixels: OpenVINO
computes those by its fast kernels.
"""

from copy import deepcopy
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gridgen.emit import GridNetwork

FOLDED = (
    nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
)
NORMS = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d


def rewritten(network: GridNetwork) -> GridNetwork:
    """A copy in evaluation mode, which cannot be trained; names of its tensors are its own."""
    copy = deepcopy(network).eval()
    for module in copy.modules():
        if isinstance(module, nn.Sequential):
            _fold(module)
            _shuffle(module)
    return copy


def _fold(layers: nn.Sequential) -> None:
    """Each BN that follows a convolution, into it; a layer that does nothing takes its place."""
    for (place, layer), (_, norm) in pairwise(list(enumerate(layers))):
        if isinstance(layer, FOLDED) and isinstance(norm, NORMS):
            transposed = isinstance(layer, nn.modules.conv._ConvTransposeNd)
            layers[place] = fuse_conv_bn_eval(layer, norm, transposed)
            layers[place + 1] = nn.Identity()


def _shuffle(layers: nn.Sequential) -> None:
    for place, layer in enumerate(layers):
        if isinstance(layer, nn.ConvTranspose2d) and is_doubling(layer):
            layers[place] = DoublingConv(layer)


def is_doubling(layer: nn.ConvTranspose2d) -> bool:
    """Whether it doubles the size by a kernel of 3 (padding 1, output padding 1) or of 2."""
    numbers = layer.kernel_size[0], layer.padding[0], layer.output_padding[0]
    return layer.stride[0] == 2 and layer.groups == 1 and numbers in ((3, 1, 1), (2, 0, 0))


class DoublingConv(nn.Module):
    """A deconvolution that doubles the size, as a convolution and a shuffle of channels to pixels.

    Pixel 2 m of a side reads x[m] by the middle of a kernel of 3; pixel 2 m + 1 reads x[m] by its
    last value and x[m + 1] by its first, with a zero beyond the end.
    """

    def __init__(self, layer: nn.ConvTranspose2d) -> None:
        super().__init__()
        inside, outside, side, _ = layer.weight.shape
        like: dict[str, Any] = {"dtype": layer.weight.dtype, "device": layer.weight.device}
        kernel = torch.zeros(outside, 2, 2, inside, side - 1, side - 1, **like)
        # By pixel of the output: the places of its kernel, and of the given kernel's values.
        ways = {0: [(0, 1)], 1: [(0, 2), (1, 0)]} if side == 3 else {0: [(0, 0)], 1: [(0, 1)]}
        for down, along in ((0, 0), (0, 1), (1, 0), (1, 1)):
            for to_row, row in ways[down]:
                for to_column, column in ways[along]:
                    values = layer.weight[:, :, row, column].T
                    kernel[:, down, along, :, to_row, to_column] = values
        self.beyond = side - 2
        self.conv = nn.Conv2d(inside, 4 * outside, side - 1, bias=layer.bias is not None, **like)
        with torch.no_grad():
            self.conv.weight.copy_(kernel.reshape(self.conv.weight.shape))
            if layer.bias is not None and self.conv.bias is not None:
                self.conv.bias.copy_(layer.bias.repeat_interleave(4))

    def forward(self, x: Tensor) -> Tensor:
        """(N, F, H, W) -> (N, G, 2H, 2W)."""
        given = functional.pad(x, (0, self.beyond, 0, self.beyond)) if self.beyond else x
        return functional.pixel_shuffle(self.conv(given), 2)
