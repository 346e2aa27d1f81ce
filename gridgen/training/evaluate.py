"""Scoring a network on a split."""

from collections.abc import Callable

import torch
from torch import Tensor

from gridgen.data import Dataset
from gridgen.emit import GridNetwork
from gridgen.training import devices
from gridgen.training.score import Score, confusion, score

Told = Callable[[int, int], None]


def evaluate(
    network: GridNetwork, dataset: Dataset, device: torch.device, told: Told = lambda *_: None
) -> Score:
    """IoU of `network` on whole images of `dataset`, from one confusion matrix over all of them.

    `told(done, total)` hears of each image. Leaves the network in the mode it was in.
    """
    return score(evaluate_matrix(network, dataset, device, told), dataset.classes)


@torch.no_grad()
def evaluate_matrix(
    network: GridNetwork, dataset: Dataset, device: torch.device, told: Told = lambda *_: None
) -> Tensor:
    """The confusion matrix (truth, prediction); of several processes each scores a share."""
    classes, training = len(dataset.classes), network.training
    network.eval()
    matrix = torch.zeros(classes, classes, dtype=torch.int64, device=device)
    for index in range(devices.rank(), len(dataset), devices.world_size()):
        sample = dataset[index]
        prediction = network(sample.image[None].to(device)).argmax(1)
        matrix += confusion(prediction, sample.label[None].to(device), classes)
        told(index + 1, len(dataset))
    network.train(training)
    return devices.summed(matrix)
