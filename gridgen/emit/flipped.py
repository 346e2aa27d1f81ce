"""Transposed convolutions of stride 1, computed on CPUs as convolutions with flipped kernels.

They have the parameters of torch's own, and their names. In training oneDNN is slower at the
transposed form (`python -m benchmarks.runtimes --only flipped`); compiled, inductor computes it
wrongly where it folds a BN into it while it freezes weights (torch 2.13). In evaluation it is
torch's own form, so that a network and its exported source give the same bits; so it is on other
devices.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


Deconvolution = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d


def is_flipped(module: Deconvolution, x: Tensor) -> bool:
    """Whether the kernel is flipped for maps like `x`: on a CPU, in training or compiled."""
    # Exported programs keep the one operation that other runtimes have kernels for.
    chosen = module.training or torch.compiler.is_compiling()
    return chosen and x.device.type == "cpu" and not torch.compiler.is_exporting()


def flipped(module: Deconvolution, x: Tensor) -> Tensor:
    """What the module computes of (N, F, *sides), where its stride is 1."""
    sides = len(module.kernel_size)
    weight = module.weight.flip([*range(2, 2 + sides)]).transpose(0, 1)
    pads: tuple[int, ...] = module.padding  # type: ignore[assignment]  # text in convolutions alone
    ends = zip(module.kernel_size, pads, strict=True)
    padding = [kernel - 1 - padding for kernel, padding in ends]
    made: Tensor = CONVOLUTIONS[sides](x, weight, module.bias, padding=padding)
    return made


class FlippedConvTranspose1d(nn.ConvTranspose1d):
    """Of signals."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(N, F, L) -> (N, G, L)."""
        return flipped(self, x) if is_flipped(self, x) else super().forward(x, output_size)


class FlippedConvTranspose2d(nn.ConvTranspose2d):
    """Of images."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(N, F, H, W) -> (N, G, H, W)."""
        return flipped(self, x) if is_flipped(self, x) else super().forward(x, output_size)


class FlippedConvTranspose3d(nn.ConvTranspose3d):
    """Of volumes."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(N, F, D, H, W) -> (N, G, D, H, W)."""
        return flipped(self, x) if is_flipped(self, x) else super().forward(x, output_size)


FLIPPED = {
    "ConvTranspose1d": FlippedConvTranspose1d,
    "ConvTranspose2d": FlippedConvTranspose2d,
    "ConvTranspose3d": FlippedConvTranspose3d,
}
"""By what torch calls each."""
