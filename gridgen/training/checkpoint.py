"""Checkpoints: what a killed training needs to go on exactly. Never pickle.

A checkpoint is a folder, written under another name, flushed and then renamed; its manifest
holds a SHA-256 of each file. Loading verifies, and falls back to the one before.
"""

import json
import os
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gridgen.emit.weights import load_tensors, save_tensors
from gridgen.errors import FileError, GridgenError, RunError
from gridgen.files import flush_folder, sha256, write_file

KEPT = 2
BEST = "best"
TALLY = "matrix"


@dataclass
class State:
    """Everything that changes while training: tensors, and a few numbers as JSON."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    step: int = 0
    best: float = -1.0
    loss_sum: float = 0.0
    steps_summed: int = 0
    tally: Tensor | None = None

    def numbers(self) -> dict[str, float]:
        """What `state.json` holds. `float.hex` would be exact too; JSON floats round-trip."""
        return {
            "step": self.step,
            "best": self.best,
            "loss_sum": self.loss_sum,
            "steps_summed": self.steps_summed,
        }


def save_checkpoint(folder: Path, state: State, name: str | None = None) -> Path:
    """Write the checkpoint of `state` into `folder`; keep the last two and the best."""
    final = folder / (name or f"step-{state.step:09d}")
    temporary = folder / f".{final.name}"
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        save_tensors(state.network.state_dict(), temporary / "network.safetensors", {})
        save_tensors(_optimizer_tensors(state), temporary / "optimizer.safetensors", {})
        write_file(temporary / "state.json", json.dumps(state.numbers()))
        digests = {path.name: sha256(path.read_bytes()) for path in sorted(temporary.iterdir())}
        write_file(temporary / "manifest.json", json.dumps(digests, indent=1))
        replaced = folder / f".{final.name}.old"
        if final.exists():
            os.rename(final, replaced)
        os.rename(temporary, final)
        flush_folder(folder)
        shutil.rmtree(replaced, ignore_errors=True)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise FileError(f"{final}: cannot be written: {error.strerror or error}") from error
    for old in _newest_first(folder)[KEPT:]:
        shutil.rmtree(old)
    return final


def load_checkpoint(folder: Path, state: State) -> Path | None:
    """Bring `state` to the newest checkpoint that is whole; a damaged one is passed over, warned.

    None where there is no checkpoint yet: the state is that of step 0. Errors: `RunError` where
    there are some and none is whole.
    """
    found = _newest_first(folder)
    if not found:
        return None
    for checkpoint in found:
        try:
            _verify(checkpoint)
            _restore(checkpoint, state)
        except (GridgenError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            warnings.warn(f"{checkpoint} is damaged ({error}); trying the one before", stacklevel=2)
            continue
        return checkpoint
    raise RunError(f"{folder}: no whole checkpoint ({len(found)} found); train anew")


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*"), reverse=True)


def _verify(checkpoint: Path) -> None:
    manifest = json.loads((checkpoint / "manifest.json").read_text())
    for name in ("network.safetensors", "optimizer.safetensors", "state.json"):
        if sha256((checkpoint / name).read_bytes()) != manifest[name]:
            raise RunError(f"{name} does not match its SHA-256")


def _restore(checkpoint: Path, state: State) -> None:
    weights, _ = load_tensors(checkpoint / "network.safetensors")
    optimizer, _ = load_tensors(checkpoint / "optimizer.safetensors")
    numbers = json.loads((checkpoint / "state.json").read_text())
    state.network.load_state_dict(weights)
    state.tally = optimizer.pop(TALLY, None)
    _restore_optimizer(state.optimizer, optimizer)
    state.step, state.best = int(numbers["step"]), float(numbers["best"])
    state.loss_sum = float(numbers["loss_sum"])
    state.steps_summed = int(numbers["steps_summed"])


def _optimizer_tensors(state: State) -> dict[str, Tensor]:
    """Adam's moments by parameter number, and the running tally of what was trained on."""
    tensors = {f"{number}.{name}": value for number, name, value in _moments(state.optimizer)}
    return tensors if state.tally is None else {**tensors, TALLY: state.tally}


def _moments(optimizer: torch.optim.Optimizer) -> Iterator[tuple[int, str, Tensor]]:
    for number, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            yield number, name, torch.as_tensor(value)


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    moments: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        moments.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
