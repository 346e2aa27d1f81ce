"""Weights that a training takes over from another network, and parts that it leaves as they are."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from gridgen.arguments import PathLike
from gridgen.data.dataset import Dataset
from gridgen.emit import GridNetwork, inherit
from gridgen.emit.inheriting import without_head
from gridgen.errors import SpecError, WeightsError, unknown
from gridgen.grid import Grid
from gridgen.training.recipe import Recipe
from gridgen.training.run.model import read_model


def frozen_parts(grid: Grid, patterns: Sequence[str]) -> list[str]:
    """The parts whose names match a pattern, whole (`units.sub_1_0`) or without their group.

    Errors: `SpecError` at `freeze` for a pattern that matches none, and where all are frozen.
    """
    parts = [name for name, layers in grid.parts() if any(each.parameters for each in layers)]
    parts += [f"weights.{name}" for name, _ in grid.fusion_weights()]
    for pattern in patterns:
        if not any(_matches(part, pattern) for part in parts):
            names = [part.partition(".")[2] or part for part in parts]
            raise SpecError(unknown("part with weights", pattern, names), ("freeze",))
    found = [part for part in parts if any(_matches(part, pattern) for pattern in patterns)]
    if found == parts:
        raise SpecError("all parts are frozen, so that nothing is learnt; leave one", ("freeze",))
    return found


def freeze(network: GridNetwork, parts: Iterable[str]) -> list[nn.Module]:
    """Take the weights of these parts out of training. Gives the modules of the parts, which are
    to be in evaluation mode in each step, so that statistics of BN do not move either.
    """
    modules = []
    for part in parts:
        if part.startswith("weights."):
            network.get_parameter(part).requires_grad_(False)
        else:
            module = network.get_submodule(part)
            module.requires_grad_(False)
            modules.append(module)
    return modules


def require_frozen(grid: Grid, recipe: Recipe) -> None:
    """Refuse names of parts that the network has not. Errors: `SpecError` at the recipe's field."""
    try:
        frozen_parts(grid, recipe.freeze)
    except SpecError as error:
        raise recipe.blame(error) from error


def initial_weights(
    grid: Grid, data: Dataset, seed: int, init: PathLike
) -> tuple[dict[str, Tensor], list[str]]:
    """The weights to begin with: those of a run or a file where they fit, else those of the seed;
    and lines that say which were taken over. Errors: `RunError`, `WeightsError`.
    """
    model = read_model(init)
    tensors = model.network.state_dict()
    tensors = {name: each for name, each in tensors.items() if name not in model.fresh}
    lines = []
    if model.named and tuple(model.task.classes) != tuple(data.classes):
        lines = [f"{model.path} was trained for other classes, so the head is fresh"]
        tensors = without_head(tensors, model.network.grid)
    torch.manual_seed(seed)
    network = GridNetwork(grid)
    try:
        told = inherit(network, tensors)
    except WeightsError as error:
        raise WeightsError(f"{model.path}: {error}") from error
    return network.state_dict(), [*(f"{name}: {said}" for name, said in told.rows()), *lines]


def _matches(part: str, pattern: str) -> bool:
    return fnmatchcase(part, pattern) or fnmatchcase(part.partition(".")[2], pattern)
