"""Batch normalization over the images of all processes, so that their number changes nothing.

Torch's own SyncBatchNorm needs a GPU, and is no BatchNorm2d to `emit/recompute.py`.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from gridgen.training.processes import devices

EACH_CHANNEL = (0, 2, 3)


def synchronize_batch_norm(network: nn.Module) -> None:
    """Let every BN of `network` count the values of all processes, not its own share alone.

    Weights, statistics and their names stay as they are; so does evaluation.
    """
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            # In place: an optimizer, an average or a list may hold the module and its tensors.
            module.__class__ = SynchronizedBatchNorm


class SynchronizedBatchNorm(nn.BatchNorm2d):
    """A BN whose batch is that of all processes, of which each has an equal share."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, F, H, W) -> (N, F, H, W); all processes have to call it, in the same order."""
        if not self.training:
            return super().forward(x)
        mean, variance = statistics(x.detach().to(self.weight.dtype))
        self._follow(mean, variance, devices.world_size() * x.numel() // x.shape[1])
        normalized: Tensor = Normalization.apply(
            x, self.weight, self.bias, mean, variance, self.eps
        )  # type: ignore[no-untyped-call]
        return normalized

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running statistics, the variance being that of a sample of `count` values."""
        if not self.track_running_stats:
            return
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        # torch normalizes by the biased variance, but keeps the unbiased one for evaluation.
        self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


def statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel, (F,), over all processes.

    The variance is the mean of the shares' variances plus the variance of their means: no
    difference of large squares.
    """
    mean = x.mean(EACH_CHANNEL)
    variance = (x - mean[:, None, None]).square().mean(EACH_CHANNEL)
    means, variances = devices.gathered(torch.stack([mean, variance])).unbind(1)
    return means.mean(0), variances.mean(0) + means.var(0, correction=0)


class Normalization(torch.autograd.Function):
    """weight * x' + bias with x' = (x - mean) / sqrt(variance + eps), of which x alone is kept.

    Mean and variance depend on the x of all processes, and so does the gradient (Ioffe &
    Szegedy, ICML 2015, section 3): weight / sqrt(variance + eps) * (g - mean(g) - x' mean(g x')).
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        variance: Tensor,
        eps: float,
    ) -> Tensor:
        """(N, F, H, W) and five of each channel -> (N, F, H, W), of the type of x."""
        ctx.save_for_backward(x, weight, mean, variance)
        ctx.eps = eps
        return batch_norm(x, mean, variance, weight, bias, training=False, eps=eps)

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, and of this process's share of weight and bias."""
        x, weight, mean, variance = ctx.saved_tensors
        fixed = (mean, variance, None, None, False, ctx.eps, (True, True, True))
        of_x, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            given, x, weight, *fixed
        )
        values = devices.world_size() * x.numel() // x.shape[1]
        mean_g, mean_gx = devices.summed(torch.stack([of_bias, of_weight])) / values
        scale = (variance + ctx.eps).rsqrt()
        slope = weight * scale.square() * mean_gx
        level = weight * scale * mean_g - slope * mean
        return _minus_line(of_x, level, slope, x), of_weight, of_bias, None, None, None


def _minus_line(of_x: Tensor, level: Tensor, slope: Tensor, x: Tensor) -> Tensor:
    """of_x - (level + slope * x), the line being one of each channel."""
    line = torch.addcmul(level[:, None, None], slope[:, None, None], x)
    return (of_x - line).to(x.dtype)
