"""What the device that trains can hold."""

import torch

from gridgen.errors import TooLargeError
from gridgen.grid import Grid
from gridgen.memory import training_memory
from gridgen.memory.host import host_memory
from gridgen.text import bytes_text
from gridgen.training import devices
from gridgen.training.recipe import Recipe, setting_of


def require_step_memory(grid: Grid, recipe: Recipe, device: torch.device) -> None:
    """Refuse steps that need more than the device has, whatever else is on it.

    A CPU that tried would be without memory, and so would all that runs on it. Errors:
    `TooLargeError`.
    """
    batch, side = recipe.batch // devices.world_size(), recipe.crop.size
    kind = "cuda" if device.type == "cuda" else "cpu"
    setting = setting_of(recipe).but(batch=max(batch, 1), device=kind)
    needed, there = training_memory(grid, (side, side), setting), memory_of(device)
    if needed > there:
        fact = f"A step of {batch} crops of {side}x{side} needs {bytes_text(needed)}"
        fix = "Lower batch or crop.size, or set recompute: unit"
        raise TooLargeError(f"{fact}; {device} has {bytes_text(there)}. {fix}.")


def memory_of(device: torch.device) -> int:
    """Bytes, those in use too."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return host_memory()
