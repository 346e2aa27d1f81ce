"""Two ways to train a supernet that are tried here alone, and are no part of gridgen: batch
normalization of its own for each number of connections that arrive, and a higher learning rate for
connections that are seldom drawn.

    python -m benchmarks.supernet.tried norms|rates --data data/camvid-third [-o runs/supernets]
        [--epochs 50] [--seed 0]

Adds a row to variants.csv, or replaces it, as `benchmarks.supernet.variants` does. What is kept
beside the network is in no checkpoint, so that a training that is killed begins anew.
"""

import argparse
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from benchmarks.supernet.variants import BASE, compared, known, printed, row_of, with_row, written
from benchmarks.topologies.train import STUDY
from gridgen import Study, check_supernet, train_supernet
from gridgen.emit import GridNetwork
from gridgen.emit.sharing import SharedSubnetwork
from gridgen.grid import Grid
from gridgen.space.subnetworks import Chosen, Subnetworks
from gridgen.supernet import scoring
from gridgen.training.loop import trainer
from gridgen.training.loop.supernet import SupernetLearner
from gridgen.training.recipe import TrainingStep, changed_recipe

DRAWS = 2000
"""Networks that are drawn to know how often each connection is."""
LEARNERS: list["Norms"] = []
"""The learner of the training that ran last, for the norms that no checkpoint holds."""


def readers(grid: Grid) -> Iterator[tuple[str, int]]:
    """The prefix of the first batch normalization of each unit, and the number of connections that
    arrive at the map that it reads. The head begins with a deconvolution, and has none.
    """
    for connection in grid:
        yield f"units.{connection.name}.0", grid.dag.in_degree(connection.source)


class Norms(SupernetLearner):
    """Weights and biases of batch normalization for each number of arrivals below the most."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        whole = dict(readers(self.network.grid))
        self.own: dict[str, nn.Parameter] = {}
        for prefix, most in whole.items():
            assert isinstance(self.network.get_submodule(prefix), nn.BatchNorm2d)
            for arrivals in range(1, most):
                for name in ("weight", "bias"):
                    like = self.network.get_parameter(f"{prefix}.{name}")
                    own = nn.Parameter(like.detach().clone())
                    own.grad = torch.zeros_like(own)
                    self.own[f"{prefix}.{name}@{arrivals}"] = own
        self.optimizer.add_param_group({"params": [*self.own.values()], "weight_decay": 0.0})
        self.averages = {name: each.detach().clone() for name, each in self.own.items()}
        self.most = whole
        LEARNERS[:] = [self]

    def replaced(self, grid: Grid, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors that a sub-network has in place of the shared ones."""
        found = {}
        for prefix, arrivals in readers(grid):
            if 0 < arrivals < self.most[prefix]:
                for name in ("weight", "bias"):
                    found[f"{prefix}.{name}"] = own[f"{prefix}.{name}@{arrivals}"]
        return found

    def _made(self, chosen: Chosen) -> SharedSubnetwork:
        shared = super()._made(chosen)
        now, replaced = shared._parts.now, self.replaced(shared.grid, self.own)
        shared._parts.now = lambda: now() | replaced
        return shared

    @torch.no_grad()
    def step(self, images: Tensor, labels: Tensor, step: TrainingStep) -> Any:
        with torch.enable_grad():
            outcome = super().step(images, labels, step)
        assert self.ema is not None
        decay = min(self.ema.decay, (1 + step.number) / (10 + step.number))
        for name, own in self.own.items():
            self.averages[name].lerp_(own, 1 - decay)
        return outcome


class Rates(SupernetLearner):
    """A learning rate that is higher the more seldom a connection is drawn. AdamW moves weights
    alike whatever the size of their gradients, so that what is seldom drawn moves further here.
    """

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        shares = drawn_shares(self.networks, self.supernet.networks_a_step)
        names = {id(each): name for name, each in self.network.named_parameters()}
        groups: list[dict[str, Any]] = []
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                part = names[id(parameter)].split(".")
                share = shares.get(part[1], 1.0) if part[0] == "units" else 1.0
                groups.append({**group, "params": [parameter], "factor": 1 / share})
        self.optimizer.param_groups[:] = groups
        self.optimizer.register_step_pre_hook(_scaled)


def _scaled(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    for group in optimizer.param_groups:
        group["lr"] *= group["factor"]


def drawn_shares(networks: Subnetworks, many: int) -> dict[str, float]:
    """Of the networks of a step, the share that has each connection: the whole one has all."""
    random = Random(0)
    drawn = [networks.draw(random).topology.connections for _ in range(DRAWS)]
    names = networks.largest.topology.connections
    smallest = networks.smallest.topology.connections
    return {
        name: (1 + (name in smallest) + (many - 2) * sum(name in each for each in drawn) / DRAWS)
        / many
        for name in names
    }


def _with_norms(network: GridNetwork, grid: Grid) -> GridNetwork:
    """A copy of a sub-network with the averaged norms of the learner that was trained."""
    taken = copied(network, grid)
    with torch.no_grad():
        for name, tensor in LEARNERS[0].replaced(grid, LEARNERS[0].averages).items():
            taken.get_parameter(name).copy_(tensor)
    return taken


copied = scoring.copied_subnetwork
KINDS = {"norms": ("norms by arrivals", Norms), "rates": ("rates by draws", Rates)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--data", default="data/camvid-third")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/supernets"))
    parser.add_argument("--epochs", type=int, default=BASE["epochs"])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    (title, learner), study = KINDS[given.kind], Study.load(STUDY)
    recipe = changed_recipe(study.training, {**BASE, "epochs": given.epochs})
    folder = given.output / f"{given.kind}-{given.seed}"
    shutil.rmtree(folder, ignore_errors=True)
    copy = _with_norms if learner is Norms else copied
    with (
        patch.object(trainer, "SupernetLearner", learner),
        patch.object(scoring, "copied_subnetwork", copy),
    ):
        asked = study.but(data=given.data, recipe=recipe.plain())
        run = train_supernet(asked, folder=folder, seed=given.seed)
        found = check_supernet(run, benchmark=compared())
    print(found.line)
    if given.epochs == BASE["epochs"]:
        rows = with_row(known(), row_of(title, given.seed, run, found))
        written(rows)
        printed(rows)


if __name__ == "__main__":
    main()
