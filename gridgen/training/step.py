"""One step of training: forward, loss, backward, update. Knows no run, and measures nothing."""

import torch
from torch import Tensor, nn

from gridgen.training import devices
from gridgen.training.tasks import Task


def forward(
    model: nn.Module, images: Tensor, labels: Tensor, task: Task, precision: str
) -> tuple[Tensor, Tensor]:
    """The prediction for a batch, and its loss."""
    model.train()
    with devices.autocast(images.device, precision):
        prediction = model(images)
        return prediction, task.loss(prediction, labels)


def update(optimizer: torch.optim.Optimizer, loss: Tensor, clip_norm: float | None = None) -> None:
    """The backward pass, and what follows from it; gradients stay where they are."""
    optimizer.zero_grad(set_to_none=False)
    loss.backward()  # type: ignore[no-untyped-call]
    if clip_norm is not None:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(parameters, clip_norm)
    optimizer.step()


def out_of_memory(error: Exception) -> bool:
    """Whether memory ran out; on a CPU that is a plain RuntimeError."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "DefaultCPUAllocator" in str(error) or "bad_alloc" in str(error)
