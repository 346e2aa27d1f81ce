"""A recipe's optimizer over the parameters of a network."""

import torch
from torch import nn

from gridgen.training.recipe import Recipe
from gridgen.training.recipe.optimizer import Adam, AdamW, Sgd


def optimizer_of(network: nn.Module, recipe: Recipe, device: torch.device) -> torch.optim.Optimizer:
    """The optimizer of all parameters, whose gradients are there from the beginning.

    Torch7 gives a dropped unit a zero gradient, and Adam goes on by its momentum; a gradient of
    None would leave the unit out of the step.
    """
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    rate, fused = recipe.learning_rate, device.type == "cuda"
    match recipe.optimizer:
        case Adam(betas=betas, epsilon=epsilon):
            return torch.optim.Adam(
                network.parameters(), lr=rate, betas=betas, eps=epsilon, fused=fused
            )
        case AdamW(betas=betas, epsilon=epsilon, weight_decay=decay):
            return torch.optim.AdamW(
                _groups(network, decay), lr=rate, betas=betas, eps=epsilon, fused=fused
            )
        case Sgd(momentum=momentum, nesterov=nesterov, weight_decay=decay):
            return torch.optim.SGD(
                _groups(network, decay), lr=rate, momentum=momentum, nesterov=nesterov, fused=fused
            )


def _groups(network: nn.Module, decay: float) -> list[dict[str, object]]:
    """Convolutions' weights, which decay, and the rest, which does not (He et al., CVPR 2019)."""
    parameters = list(network.parameters())
    decayed = [parameter for parameter in parameters if parameter.ndim > 1]
    kept = [parameter for parameter in parameters if parameter.ndim <= 1]
    groups = ({"params": decayed, "weight_decay": decay}, {"params": kept, "weight_decay": 0.0})
    return [group for group in groups if group["params"]]
