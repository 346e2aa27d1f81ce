"""Weights of one network taken over by another: whatever has the same name and shape."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gridgen.arguments import PathLike, checked, checked_fields
from gridgen.emit.network import GridNetwork
from gridgen.emit.weights import load_tensors
from gridgen.errors import WeightsError
from gridgen.grid import Grid, build_grid
from gridgen.shown import Shown, ShownRows
from gridgen.text import brief

COUNTER, MEAN = "num_batches_tracked", "running_mean"
BIAS, WEIGHT = ".bias", ".weight"


@checked_fields
@dataclass(frozen=True, repr=False)
class Inheritance(Shown):
    """Which tensors a network took over, and which it has of its own; names of the `state_dict`."""

    inherited: tuple[str, ...]
    fresh: tuple[str, ...]
    """Those that the other weights do not have, or have in another shape."""
    unused: tuple[str, ...]
    """Those of the other weights that the network has no place for."""

    def rows(self) -> ShownRows:
        """The parts of the network, such as `stem` and `units.sub_1_0`."""
        fresh, inherited = parts_of_tensors(self.fresh), parts_of_tensors(self.inherited)
        whole = [part for part in inherited if part not in fresh]
        partly = [part for part in inherited if part in fresh]
        rows = [("inherited", _told(whole))]
        rows += [("in part", _told(partly))] if partly else []
        rows += [("fresh", _told([part for part in fresh if part not in inherited]))]
        return rows + ([("not used", _told(parts_of_tensors(self.unused)))] if self.unused else [])


def parts_of_tensors(names: Iterable[str]) -> list[str]:
    """The parts of tensors, each once."""
    return list(dict.fromkeys(map(_part, names)))


def _part(name: str) -> str:
    """The part of a tensor: `units.sub_1_0` of `units.sub_1_0.2.weight`."""
    group, _, rest = name.partition(".")
    return group if group in ("stem", "head") else f"{group}.{rest.partition('.')[0]}"


def _told(parts: list[str]) -> str:
    number = f"{len(parts)} part{'s' * (len(parts) != 1)}"
    return f"{number}: {brief(parts)}" if parts else number


@checked
def inherit(
    network: GridNetwork, weights: GridNetwork | Mapping[str, Tensor] | PathLike
) -> Inheritance:
    """Take over all tensors of the same name and shape, from a network, a `state_dict` or a
    weights file of gridgen; the others stay as they are.

    Names come from coordinates, so a sub-topology inherits what both grids have. Errors:
    `WeightsError` for a file that is missing or damaged, and where nothing fits.

    >>> from gridgen import GridSpec
    >>> spec = GridSpec(streams=2, columns="1+1", base_channels=4, classes=3)
    >>> full = GridNetwork(spec)
    >>> told = inherit(GridNetwork(spec.but(topology="unet", classes=5)), full)
    >>> told.rows()[1]
    ('fresh', '1 part: head')
    """
    own = network.state_dict()
    given = _tensors(weights)
    fits = {name for name, tensor in own.items() if _shape(given.get(name)) == tensor.shape}
    # A BN's count of batches fits any other, and means nothing without its statistics.
    counters = {name for name in fits if name.endswith(COUNTER)}
    fits -= {each for each in counters if each.replace(COUNTER, MEAN) not in fits}
    # So does a bias, whatever the width of what its kernel reads.
    biases = {name for name in fits if name.endswith(BIAS)}
    fits -= {each for each in biases if each.removesuffix(BIAS) + WEIGHT not in fits}
    if not fits:
        fact = f"{weights}: " if isinstance(weights, str | os.PathLike) else ""
        fact += "no tensor has a name and a shape of this network's"
        raise WeightsError(f"{fact}; name those of a network with as many channels")
    with torch.no_grad():
        for name in fits:
            own[name].copy_(given[name])
    return Inheritance(
        inherited=tuple(name for name in own if name in fits),
        fresh=tuple(name for name in own if name not in fits),
        unused=tuple(name for name in given if name not in fits),
    )


def _shape(tensor: Tensor | None) -> torch.Size | None:
    return None if tensor is None else tensor.shape


def _tensors(weights: GridNetwork | Mapping[str, Tensor] | PathLike) -> Mapping[str, Tensor]:
    if isinstance(weights, GridNetwork):
        return weights.state_dict()
    return weights if isinstance(weights, Mapping) else load_tensors(weights)[0]


def without_head(tensors: Mapping[str, Tensor], grid: Grid) -> dict[str, Tensor]:
    """The tensors of a network of `grid` without the parts that depend on the number of classes:
    those with tensors that have another shape for another number, be they units that score.
    """
    other = build_grid(grid.spec.but(classes=grid.spec.classes - 1 or 2))
    shapes = dict(other.tensors())
    head = {_part(name) for name, shape in grid.tensors() if shapes.get(name) != shape}
    return {name: tensor for name, tensor in tensors.items() if _part(name) not in head}


@checked
def reset_head(network: GridNetwork, classes: int) -> GridNetwork:
    """A network like this one for another number of classes: a fresh head, all else taken over.

    The head is here whatever depends on the number of classes (`without_head`), also where that
    stays the same.

    It has the mode, device, type and recomputation of the given one; parameters are trained again
    that were frozen there. Errors: `SpecError`, also for the network of a draft.

    >>> from gridgen import GridSpec
    >>> spec = GridSpec(streams=2, columns="1+1", base_channels=4, classes=3)
    >>> reset_head(GridNetwork(spec), 7).grid.spec.classes
    7
    """
    made = GridNetwork(build_grid(network.grid.spec.but(classes=classes)))
    inherit(made, without_head(network.state_dict(), network.grid))
    made.recompute = network.recompute
    like = next(network.parameters())
    return made.to(device=like.device, dtype=like.dtype).train(network.training)
