"""The steps of a supernet: the whole network, the smallest, and some at random, on one batch."""

from collections.abc import Callable
from functools import cached_property, lru_cache
from random import Random

import torch
from torch import Tensor, nn

from gridgen.emit.sharing import PartsMade, SharedSubnetwork
from gridgen.errors import SpecError
from gridgen.grid import Grid, GridSpec, build_grid
from gridgen.space.subnetworks import Chosen, Subnetworks, draw_each
from gridgen.spec import NetworkSpec
from gridgen.training.loop.batches import SUBNETWORKS, drawn_seed
from gridgen.training.loop.learner import Learner, forward
from gridgen.training.processes import devices
from gridgen.training.processes.precision import autocast
from gridgen.training.processes.sync_batch_norm import synchronize_batch_norm
from gridgen.training.recipe import Recipe, TrainingStep
from gridgen.training.recipe.supernet import EVERY, Supernet

FEW = 16
"""Sub-networks whose memory is counted for each."""
KEPT = 320
"""Sub-networks that are not made anew when they are drawn again."""


def networks_of(grid: Grid, recipe: Recipe) -> Subnetworks:
    """The sub-networks that a recipe trains together with the largest of them, on a grid.

    Errors: `SpecError` at the recipe's field.
    """
    supernet, spec = recipe.supernet, grid.spec
    assert supernet is not None
    try:
        if not isinstance(spec, GridSpec):
            fact = f"{spec.title} is a network of its own"
            raise SpecError(f"{fact}; sub-networks are those of a grid with streams and columns")
        if supernet.topologies == EVERY and len(grid.connections) < len(grid.full.connections):
            fact = f"{EVERY} stands for those of the full grid, but the spec keeps {spec.title}"
            raise SpecError(f"{fact}; leave its topology out, or list some here", ("topologies",))
        return supernet.networks(spec)
    except SpecError as error:
        raise recipe.blame(SpecError(str(error), ("supernet", *error.field))) from error


def dropout_line(spec: NetworkSpec) -> str:
    """What is told of total dropout, which a supernet leaves out; "" where there is none."""
    dropout = spec.total_dropout if isinstance(spec, GridSpec) else 0.0
    return f"total_dropout: {dropout:g} is left out; steps draw sub-networks" if dropout else ""


def largest_of(networks: Subnetworks) -> list[Grid]:
    """Of the sub-networks that a step may train, those that can need most memory.

    One that is drawn among many may be nearly the whole network, and is counted as that.
    """
    chosen: tuple[Chosen, ...]
    if networks.topologies is None or networks.number > FEW:
        chosen = (networks.largest,)
    else:
        chosen = networks.drawable
    return [build_grid(networks.spec(each)) for each in chosen]


class SupernetLearner(Learner):
    """A learner whose steps train sub-networks with the weights of the network.

    Which they are follows from the seed and the number of the epoch.
    """

    @cached_property
    def supernet(self) -> Supernet:
        """The recipe's section."""
        assert self.recipe.supernet is not None
        return self.recipe.supernet

    @cached_property
    def networks(self) -> Subnetworks:
        """The sub-networks among which it draws."""
        return networks_of(self.network.grid, self.recipe)

    @cached_property
    def _shared(self) -> Callable[[Chosen], SharedSubnetwork]:
        return lru_cache(KEPT)(self._made)

    @cached_property
    def _parts(self) -> PartsMade:
        return {}

    @cached_property
    def _drawn(self) -> Callable[[int, int], list[tuple[Chosen, ...]]]:
        return lru_cache(1)(self._drawn_in)

    def _model(self) -> nn.Module:
        """The network itself: gradients are averaged over processes here, once in a step."""
        if devices.world_size() > 1:
            synchronize_batch_norm(self.network)
        return self.network

    def drawn(self, step: TrainingStep) -> tuple[Chosen, ...]:
        """The sub-networks of a step: the smallest, where it is wanted, and those at random."""
        smallest = (self.networks.smallest,) if self.supernet.smallest else ()
        drawn = self._drawn(step.epoch, step.per_epoch)
        return (*smallest, *drawn[step.number % step.per_epoch])

    def _drawn_in(self, epoch: int, steps: int) -> list[tuple[Chosen, ...]]:
        random = Random(drawn_seed(self.seed, SUBNETWORKS, epoch))
        supernet = self.supernet
        return list(draw_each(self.networks, supernet.sampling, random, steps, supernet.samples))

    def _made(self, chosen: Chosen) -> SharedSubnetwork:
        grid = build_grid(self.networks.spec(chosen))
        shared = SharedSubnetwork(self.network, grid, self._parts)
        if devices.world_size() > 1:
            synchronize_batch_norm(shared.module)
        return shared

    def _gradients(
        self, images: Tensor, labels: Tensor, step: TrainingStep
    ) -> tuple[Tensor, Tensor]:
        """Add up the averaged gradients of all networks of the step, one after the other; return
        what the whole network predicts, and its loss.
        """
        task, precision, drawn = self.task, self.recipe.precision, self.drawn(step)
        share = 1 / (1 + len(drawn))
        prediction, loss = forward(self.model, images, labels, task, precision)
        (share * loss).backward()  # type: ignore[no-untyped-call]
        teacher = prediction.detach()
        for chosen in drawn:
            network = self._shared(chosen)
            with autocast(images.device, precision):
                each = self._loss(network(images), labels, teacher)
            (share * each).backward()  # type: ignore[no-untyped-call]
            network.release()
        self._average_gradients()
        return teacher, loss

    def _loss(self, prediction: Tensor, labels: Tensor, teacher: Tensor) -> Tensor:
        """The loss of a sub-network: from the labels, and from what the whole network predicts."""
        taught = self.supernet.distillation
        if taught == 0:
            return self.task.loss(prediction, labels)
        distance = self.task.distance(prediction, teacher)
        if taught == 1:
            return distance
        return (1 - taught) * self.task.loss(prediction, labels) + taught * distance

    def _average_gradients(self) -> None:
        """The mean over all processes, each of which has an equal share of the batch."""
        if devices.world_size() == 1:
            return
        gradients = [each.grad for each in self.network.parameters() if each.grad is not None]
        flat = torch.cat([each.reshape(-1) for each in gradients])
        devices.summed(flat).div_(devices.world_size())
        parts = torch.split(flat, [each.numel() for each in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))
