"""What a step needs of the device, and what it needs to have a variance at all."""

import torch

from gridgen.analysis.lints import Case
from gridgen.analysis.lints.layers import fewest_values
from gridgen.errors import SpecError, TooLargeError
from gridgen.grid import Grid
from gridgen.memory import Setting, training_memory
from gridgen.memory.supernet import supernet_memory
from gridgen.text import brief, bytes_text
from gridgen.training.loop.supernet import largest_of, networks_of
from gridgen.training.processes import devices
from gridgen.training.recipe import Recipe, setting_of


def require_step_memory(grid: Grid, recipe: Recipe, device: torch.device) -> None:
    """Refuse steps that need more than the device has, whatever else is on it.

    A CPU that tried would be without memory, and so would all that runs on it. Errors:
    `TooLargeError`.
    """
    batch, side = recipe.batch // devices.world_size(), recipe.crop.size
    kind = "cuda" if device.type == "cuda" else "cpu"
    setting = setting_of(recipe).but(batch=max(batch, 1), device=kind)
    needed, there = _step_memory(grid, recipe, (side, side), setting), devices.memory_of(device)
    if needed > there:
        fact = f"A step of {batch} crops of {side}x{side} needs {bytes_text(needed)}"
        fix = "Lower batch or crop.size, or set recompute: unit"
        raise TooLargeError(f"{fact}; {device} has {bytes_text(there)}. {fix}.")


def _step_memory(grid: Grid, recipe: Recipe, size: tuple[int, int], setting: Setting) -> int:
    if recipe.supernet is None:
        return training_memory(grid, size, setting)
    largest = largest_of(networks_of(grid, recipe))
    return supernet_memory(grid, largest, size, setting, recipe.supernet.distillation)


def require_variances(grid: Grid, recipe: Recipe) -> None:
    """Refuse steps in which a BN sees one value of each channel, which has no variance.

    Errors: `SpecError` at the recipe's batch.
    """
    side = recipe.crop.size
    case, larger = (Case(grid, (each, each), recipe.batch) for each in (side, 2 * side))
    places = fewest_values(case, 2)
    if places:
        fact = f"BN of {brief(tuple(places))} sees one value of each channel in a crop of {side}"
        # A layer that pools the whole image leaves one value of a crop of any size.
        fix = "" if fewest_values(larger, 2) else f", or crop.size: {2 * side}"
        said = f"{recipe.batch}, but {fact}, which has no variance; set batch: 2{fix}"
        raise recipe.blame(SpecError(said, ("batch",)))
