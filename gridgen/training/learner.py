"""A network that learns: on a device, in a recipe's precision and format, step by step."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gridgen.emit import GridNetwork
from gridgen.errors import TrainingError
from gridgen.grid import Grid
from gridgen.training import devices
from gridgen.training.augmentation import augmentation
from gridgen.training.average import Average
from gridgen.training.batches import step_seed
from gridgen.training.optimizer import optimizer_of
from gridgen.training.recipe import Moment, Recipe
from gridgen.training.step import forward, update
from gridgen.training.synchronized import synchronize
from gridgen.training.tasks import Task


class Outcome(NamedTuple):
    """What a step gave, on the device: the prediction for the labels, and the loss."""

    prediction: Tensor
    labels: Tensor
    loss: Tensor


class Learner:
    """Network, optimizer and average. All that a step does follows from the seed and its number."""

    def __init__(
        self, grid: Grid, task: Task, recipe: Recipe, seed: int, device: torch.device
    ) -> None:
        self.task, self.recipe, self.seed, self.device = task, recipe, seed, device
        torch.manual_seed(seed)
        self.network = GridNetwork(grid)
        self.network.recompute = recipe.recompute
        self.format = torch.channels_last if recipe.channels_last else torch.contiguous_format
        self.network.to(device=device, memory_format=self.format)  # type: ignore[call-overload]
        self.average = Average(self.network, recipe.ema) if recipe.ema is not None else None
        self.model = self._model()
        self.optimizer = optimizer_of(self.network, recipe, device)
        self.augment = augmentation(recipe, devices.rank(), devices.world_size())

    def _model(self) -> nn.Module:
        """The network as it is trained: compiled, and shared between processes, where asked."""
        shared = devices.world_size() > 1
        if shared:
            synchronize(self.network)
        model: nn.Module = self.network
        if self.recipe.compile:
            model = torch.compile(model)  # type: ignore[assignment]
        return devices.shared(model) if shared else model

    def _whole(self, loss: Tensor) -> Tensor:
        """`loss`, with the parameters of units that total dropout left out as a part of nothing.

        DistributedDataParallel waits for the gradient of every parameter.
        """
        dropped = [c.name for c in self.network.grid if c.dropout]
        if devices.world_size() == 1 or not dropped:
            return loss
        sums = [p.sum() for name in dropped for p in self.network.units[name].parameters()]
        return loss + 0 * torch.stack(sums).sum()

    @property
    def scored(self) -> GridNetwork:
        """The network that is scored and taken away: the average where there is one."""
        return self.average.network if self.average is not None else self.network

    def require_finite(self, step: int) -> None:
        """Weights, BN statistics and the optimizer's moments are numbers, or a `TrainingError`."""
        kept = {
            "weight": self.network.state_dict().values(),
            "moment of the optimizer": self._moments(),
        }
        for what, tensors in kept.items():
            if not self._finite(tensors):
                fact = f"A {what} is no number after step {step}"
                raise TrainingError(f"{fact}. Lower learning_rate in the recipe.")

    def _moments(self) -> list[Tensor]:
        """An infinite one would hold its weight where it is for good, and nothing would tell."""
        states = self.optimizer.state.values()
        return [value for state in states for value in state.values() if isinstance(value, Tensor)]

    def _finite(self, tensors: Iterable[Tensor]) -> bool:
        found = [t.isfinite().all().to(self.device) for t in tensors]
        return not found or bool(torch.stack(found).all())

    def step(self, images: Tensor, labels: Tensor, moment: Moment) -> Outcome:
        """Forward, backward, update of this process's share of a batch; never waits for a GPU."""
        torch.manual_seed(step_seed(self.seed, moment.step))
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate(moment)
        images, labels = self._placed(images, labels)
        images, labels = self.augment(images, labels)
        prediction, loss = forward(self.model, images, labels, self.task, self.recipe.precision)
        update(self.optimizer, self._whole(loss), self.recipe.clip_norm)
        if self.average is not None:
            self.average.follow(moment.step)
        return Outcome(prediction.detach(), labels, loss.detach())

    def _placed(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The batch on the device."""
        images = images.to(self.device, memory_format=self.format, non_blocking=True)
        labels = labels.to(self.device, non_blocking=True)
        return images, labels if labels.is_floating_point() else labels.long()
