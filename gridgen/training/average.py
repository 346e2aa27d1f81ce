"""An exponential moving average of weights and BN statistics, which is what gets scored."""

from copy import deepcopy

import torch
from torch import Tensor

from gridgen.emit import GridNetwork


class Average:
    """A copy of a network that follows it, slowly.

    In step n, from 0, the decay is min(decay, (1 + n) / (10 + n)), so that the first weights are
    soon forgotten (TensorFlow's ExponentialMovingAverage). Nothing in it waits for a GPU, as
    torch's AveragedModel does to ask how often it was updated.
    """

    def __init__(self, network: GridNetwork, decay: float) -> None:
        self.decay = decay
        self.network = deepcopy(network).requires_grad_(False).eval()
        self._mine, self._theirs = _floats(self.network), _floats(network)

    @torch.no_grad()
    def follow(self, steps: int) -> None:
        """Move towards the network, which had made `steps` steps before the last one."""
        decay = min(self.decay, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(self._mine, self._theirs, 1 - decay)


def _floats(network: GridNetwork) -> list[Tensor]:
    """All that can be averaged, in a fixed order; the batches that a BN has seen cannot."""
    return [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
