"""Several networks as one, whose answer is the mean of theirs."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from gridgen.emit.network import GridNetwork
from gridgen.grid import Grid


class AveragedNetworks(nn.Module):
    """The mean of what networks predict for the same images: of their probabilities by class, or of
    the values themselves, such as those of restored images.

    They may be of different grids, but take as many channels and give as many outputs.
    """

    def __init__(self, networks: Sequence[GridNetwork], probabilities: bool) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.probabilities = probabilities
        self.grids = tuple(each.grid for each in networks)

    @property
    def grid(self) -> Grid:
        """The grid of the first."""
        return self.grids[0]

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, K, H, W) in fp32: logarithms of the mean probabilities, or means.

        One network's maps are freed before the next one runs.
        """
        return averaged((each(images) for each in self.networks), self.probabilities)


def averaged(predictions: Iterable[Tensor], probabilities: bool) -> Tensor:
    """The mean of predictions (N, K, ...) in fp32, as `AveragedNetworks` gives it."""
    # One prediction after the other: together they would take as much memory as all networks' maps.
    total, many = torch.zeros(()), 0
    for prediction in predictions:
        values = summable(prediction, probabilities)
        total, many = (total + values if many else values), many + 1
    mean = total / many
    # A probability that rounds to 0 would have no logarithm.
    return mean.clamp_min(torch.finfo(mean.dtype).tiny).log() if probabilities else mean


def summable(prediction: Tensor, probabilities: bool) -> Tensor:
    """What is averaged of a prediction (N, K, ...), in fp32: its probabilities, or itself."""
    values = prediction.float()
    return values.softmax(dim=1) if probabilities else values
