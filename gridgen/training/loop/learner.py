"""A network that learns: optimizer, step, moving average, in a recipe's precision and format."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gridgen.emit import GridNetwork
from gridgen.errors import TrainingError
from gridgen.grid import Grid
from gridgen.training.loop.batches import step_seed
from gridgen.training.loop.transfer import freeze, frozen_parts
from gridgen.training.processes import devices
from gridgen.training.processes.precision import autocast
from gridgen.training.processes.sync_batch_norm import synchronize_batch_norm
from gridgen.training.recipe import Recipe, TrainingStep
from gridgen.training.recipe.sections import Adam, AdamW, Sgd
from gridgen.training.tasks import Task
from gridgen.training.tasks.augmentation import augmentation


def optimizer_of(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The optimizer of what is not frozen; gradients are there from the beginning.

    Torch7 gives a dropped unit a zero gradient, and Adam goes on by its momentum; a gradient of
    None would leave the unit out of the step.
    """
    trained = _trained(network)
    for parameter in trained:
        parameter.grad = torch.zeros_like(parameter)
    # One kernel for all weights, on a CPU too; `memory/device/cases.py` counts it so.
    of_all: dict[str, Any] = {"lr": recipe.learning_rate, "fused": True}
    match recipe.optimizer:
        case Adam(betas=betas, epsilon=eps):
            return torch.optim.Adam(trained, betas=betas, eps=eps, **of_all)
        case AdamW(betas=betas, epsilon=eps, weight_decay=decay):
            return torch.optim.AdamW(_groups(network, decay), betas=betas, eps=eps, **of_all)
        case Sgd(momentum=momentum, nesterov=nesterov, weight_decay=decay):
            groups = _groups(network, decay)
            return torch.optim.SGD(groups, momentum=momentum, nesterov=nesterov, **of_all)


def _trained(network: nn.Module) -> list[nn.Parameter]:
    """The parameters that are not frozen."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _groups(network: nn.Module, decay: float) -> list[dict[str, object]]:
    """Convolutions' weights, which decay, and the rest, which does not (He et al., CVPR 2019)."""
    parameters = _trained(network)
    decayed = [parameter for parameter in parameters if parameter.ndim > 1]
    kept = [parameter for parameter in parameters if parameter.ndim <= 1]
    groups = ({"params": decayed, "weight_decay": decay}, {"params": kept, "weight_decay": 0.0})
    return [group for group in groups if group["params"]]


class MovingAverage:
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
    """Tensors that can be averaged, in a fixed order; a BN's count of batches cannot."""
    return [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]


def forward(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    task: Task,
    precision: str,
    frozen: Iterable[nn.Module] = (),
) -> tuple[Tensor, Tensor]:
    """The prediction for a batch, and its loss; `frozen` parts are in evaluation mode."""
    model.train()
    for part in frozen:
        part.eval()
    with autocast(images.device, precision):
        prediction = model(images)
        return prediction, task.loss(prediction, labels)


def update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """The backward pass, and what follows from it; gradients stay where they are."""
    clear(optimizer)
    loss.backward()  # type: ignore[no-untyped-call]
    apply(optimizer)


def clear(optimizer: torch.optim.Optimizer) -> None:
    """Set all gradients to zero."""
    # Without a gradient, total dropout's dropped units would be left out of Adam's step.
    optimizer.zero_grad(set_to_none=False)


def apply(optimizer: torch.optim.Optimizer, clip_norm: float | None = None) -> None:
    """Update the weights by their gradients."""
    if clip_norm is not None:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(parameters, clip_norm)
    optimizer.step()


class Outcome(NamedTuple):
    """The result of a step, on the device."""

    prediction: Tensor
    labels: Tensor
    loss: Tensor


class Learner:
    """Network, optimizer and average. All that a step does follows from the seed and its number.

    `initial` are weights to begin with, in place of those that the seed gives.
    """

    def __init__(
        self,
        grid: Grid,
        task: Task,
        recipe: Recipe,
        seed: int,
        device: torch.device,
        initial: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.task, self.recipe, self.seed, self.device = task, recipe, seed, device
        # The initial weights are drawn from it, before anything else is.
        torch.manual_seed(seed)
        self.network = GridNetwork(grid)
        if initial is not None:
            self.network.load_state_dict(initial)
        self.network.recompute = recipe.recompute
        self.format = torch.channels_last if recipe.channels_last else torch.contiguous_format
        self.network.to(device=device, memory_format=self.format)  # type: ignore[call-overload]
        self.ema = MovingAverage(self.network, recipe.ema) if recipe.ema is not None else None
        self.frozen = freeze(self.network, frozen_parts(grid, recipe.freeze))
        self.model = self._model()
        self.optimizer = optimizer_of(self.network, recipe)
        self.augment = augmentation(recipe, devices.rank(), devices.world_size())

    def _model(self) -> nn.Module:
        """The network as it is trained: compiled, and shared between processes, where asked."""
        shared = devices.world_size() > 1
        if shared:
            synchronize_batch_norm(self.network)
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
    def averaged(self) -> GridNetwork | None:
        """The network that holds the averaged weights, where the recipe asks for them."""
        return self.ema.network if self.ema is not None else None

    @property
    def scored(self) -> GridNetwork:
        """The network that is scored and taken away: the average where there is one."""
        return self.network if self.averaged is None else self.averaged

    def require_finite(self, step: int) -> None:
        """Weights, BN statistics and the optimizer's moments are numbers, or a `TrainingError`."""
        # An infinite moment would hold its weight where it is for good, and nothing would tell.
        moments = (value for state in self.optimizer.state.values() for value in state.values())
        kept = {
            "weight": self.network.state_dict().values(),
            "moment of the optimizer": filter(torch.is_tensor, moments),
        }
        for what, tensors in kept.items():
            finite = [tensor.isfinite().all().to(self.device) for tensor in tensors]
            if finite and not torch.stack(finite).all():
                fact = f"A {what} is not a number after step {step}"
                raise TrainingError(f"{fact}. Lower learning_rate in the recipe.")

    def step(self, images: Tensor, labels: Tensor, step: TrainingStep) -> Outcome:
        """Forward, backward, update of this process's share of a batch; never waits for a GPU."""
        torch.manual_seed(step_seed(self.seed, step.number))
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate(step)
        images = images.to(self.device, memory_format=self.format, non_blocking=True)
        labels = labels.to(self.device, non_blocking=True)
        labels = labels if labels.is_floating_point() else labels.long()
        images, labels = self.augment(images, labels)
        clear(self.optimizer)
        prediction, loss = self._gradients(images, labels, step)
        apply(self.optimizer, self.recipe.clip_norm)
        if self.ema is not None:
            self.ema.follow(step.number)
        return Outcome(prediction.detach(), labels, loss.detach())

    def _gradients(
        self, images: Tensor, labels: Tensor, step: TrainingStep
    ) -> tuple[Tensor, Tensor]:
        """Forward and backward pass; the prediction and its loss."""
        task, precision = self.task, self.recipe.precision
        prediction, loss = forward(self.model, images, labels, task, precision, self.frozen)
        # Where total dropout leaves out all that is not frozen, a step changes nothing.
        if (whole := self._whole(loss)).requires_grad:
            whole.backward()  # type: ignore[no-untyped-call]
        return prediction, loss
