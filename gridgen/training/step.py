"""One step of training: forward, loss, backward, update. Knows no run, and measures nothing."""

import torch
from torch import Tensor, nn

from gridgen.training import devices
from gridgen.training.recipe import Recipe
from gridgen.training.tasks import Task


def adam(network: nn.Module, recipe: Recipe, device: torch.device) -> torch.optim.Adam:
    """Adam over all parameters, whose gradients are there from the beginning.

    Torch7 gives a dropped unit a zero gradient, and Adam goes on by its momentum; a gradient of
    None would leave the unit out of the step.
    """
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    return torch.optim.Adam(
        network.parameters(),
        lr=recipe.learning_rate,
        betas=recipe.betas,
        eps=recipe.epsilon,
        fused=device.type == "cuda",
    )


def forward(
    model: nn.Module, images: Tensor, labels: Tensor, task: Task, precision: str
) -> tuple[Tensor, Tensor]:
    """The prediction for a batch, and its loss."""
    model.train()
    with devices.autocast(images.device, precision):
        prediction = model(images)
        return prediction, task.loss(prediction, labels)


def update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """The backward pass, and what follows from it; gradients stay where they are."""
    optimizer.zero_grad(set_to_none=False)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def out_of_memory(error: Exception) -> bool:
    """Whether memory ran out; on a CPU that is a plain RuntimeError."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
