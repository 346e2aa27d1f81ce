"""Checkpoints: what a killed training needs to go on exactly. Never pickle.

A checkpoint is a folder, written under another name, flushed and then renamed; its manifest
holds a SHA-256 of each file. Loading verifies, and falls back to the one before.
"""

import json
import math
import os
import shutil
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from gridgen.emit import GridNetwork
from gridgen.emit.weights import load_tensors, save_tensors
from gridgen.errors import FileError, GridgenError, RunError, reason_of
from gridgen.files import flush_folder, read_bytes, sha256_of_file, write_file
from gridgen.training.processes.devices import out_of_memory
from gridgen.training.recipe import Recipe
from gridgen.training.run.steplog import Losses

KEPT = 2
BEST = "best"
REPLACED = ".old"
STATISTICS = "matrix"
NETWORK, AVERAGE = "network.safetensors", "average.safetensors"
OPTIMIZER, NUMBERS, MANIFEST = "optimizer.safetensors", "state.json", "manifest.json"


class Trained(Protocol):
    """A network in training, seen as the tensors that a checkpoint keeps."""

    network: GridNetwork
    optimizer: torch.optim.Optimizer
    recipe: Recipe

    @property
    def averaged(self) -> GridNetwork | None:
        """The network that holds the averaged weights, where the recipe asks for them."""


@dataclass
class TrainingState:
    """Everything that changes while training: tensors, and a few numbers as JSON."""

    learner: Trained
    step: int = 0
    best: float = -math.inf
    losses: Losses = field(default_factory=Losses)
    statistics: Tensor | None = None
    rows: list[dict[str, float]] = field(default_factory=list)
    """Rows of metrics.csv, which is written from them."""

    def numbers(self) -> dict[str, Any]:
        """The numbers in `state.json`; JSON's floats come back as they were."""
        losses = self.losses
        sums = {"loss_sum": losses.total, "steps_summed": losses.steps, "recent": losses.recent}
        reached = {"step": self.step, "best": self.best, "rows": self.rows}
        return {**reached, **sums, **self.kinds()}

    def kinds(self) -> dict[str, Any]:
        """Choices of the recipe that must be the same when a training goes on.

        Steps count batches, and class weights were counted when the training began.
        """
        recipe, averaged = self.learner.recipe, self.learner.averaged is not None
        kind = type(self.learner.optimizer).__name__
        counted = {"batch": recipe.batch, "class_weights": recipe.class_weights}
        return {"optimizer": kind, "averaged": averaged, **counted}

    def require_kinds(self, numbers: dict[str, Any]) -> None:
        """Refuse a recipe that was changed since, with a `RunError`."""
        for what, now in self.kinds().items():
            if numbers.get(what, now) != now:
                fact = f"its recipe.yaml was changed: {what} was {numbers[what]}, now {now}"
                raise RunError(f"{fact}; put it back, or train anew")

    def adopt(self, numbers: dict[str, Any]) -> None:
        """Take over what `numbers` gave."""
        self.step, self.best = int(numbers["step"]), float(numbers["best"])
        self.rows = [dict(row) for row in numbers["rows"]]
        total, steps = float(numbers["loss_sum"]), int(numbers["steps_summed"])
        self.losses = Losses(total, steps, [float(loss) for loss in numbers["recent"]])


def save_checkpoint(folder: Path, state: TrainingState, name: str | None = None) -> Path:
    """Write the checkpoint of `state` into `folder`; keep the last two and the best."""
    final = folder / (name or f"step-{state.step:09d}")
    temporary, replaced = folder / f".{final.name}", folder / f".{final.name}{REPLACED}"
    _tidy(folder)
    try:
        temporary.mkdir(parents=True)
        _write(temporary, state)
        # A rename cannot replace a folder that holds files, so the old one steps aside first.
        if final.exists():
            os.rename(final, replaced)
        os.rename(temporary, final)
        # Without it the rename itself can be lost in a power cut.
        flush_folder(folder)
    except (OSError, FileError) as error:
        _tidy(folder)
        raise FileError(f"{final}: cannot be written: {reason_of(error)}") from error
    shutil.rmtree(replaced, ignore_errors=True)
    for old in _newest_first(folder)[KEPT:]:
        shutil.rmtree(old)
    return final


def _tidy(folder: Path) -> None:
    """Remove what a save that was broken off left; what it was about to replace stays."""
    for left in folder.glob(".*"):
        final = folder / left.name[1:].removesuffix(REPLACED)
        if left.name.endswith(REPLACED) and not final.exists():
            with suppress(OSError):
                os.rename(left, final)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _write(folder: Path, state: TrainingState) -> None:
    """The files of a checkpoint, and their digests."""
    learner = state.learner
    save_tensors(learner.network.state_dict(), folder / NETWORK, {})
    if learner.averaged is not None:
        save_tensors(learner.averaged.state_dict(), folder / AVERAGE, {})
    save_tensors(_optimizer_tensors(state), folder / OPTIMIZER, {})
    write_file(folder / NUMBERS, json.dumps(state.numbers()))
    digests = {path.name: sha256_of_file(path) for path in sorted(folder.iterdir())}
    write_file(folder / MANIFEST, json.dumps(digests, indent=1))


def load_checkpoint(folder: Path, state: TrainingState) -> Path | None:
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
        except (GridgenError, OSError) as error:
            warnings.warn(f"{checkpoint} is damaged ({error}); trying the one before", stacklevel=2)
            continue
        _restore(checkpoint, state)
        return checkpoint
    raise RunError(f"{folder}: no whole checkpoint ({len(found)} found); train anew")


def newest(folder: Path) -> Path | None:
    """The last checkpoint that was written, if there is one."""
    return next(iter(_newest_first(folder)), None)


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*"), reverse=True)


def _verify(checkpoint: Path) -> None:
    """Check that every file is there, and as it was written."""
    there = {path.name for path in checkpoint.iterdir()}
    if MANIFEST not in there:
        raise RunError(f"{MANIFEST} is missing")
    try:
        digests = json.loads(read_bytes(checkpoint / MANIFEST))
    except ValueError as error:
        raise RunError(f"{MANIFEST} is not JSON") from error
    if not isinstance(digests, dict):
        raise RunError(f"{MANIFEST} names no files")
    for name in sorted({NETWORK, OPTIMIZER, NUMBERS, *digests, *there} - {MANIFEST}):
        if name not in there:
            raise RunError(f"{name} is missing")
        if name not in digests:
            raise RunError(f"{MANIFEST} does not name {name}")
        if sha256_of_file(checkpoint / name) != digests[name]:
            raise RunError(f"{name} does not match its SHA-256")
    # Not every recipe has one, so that the manifest alone cannot tell whether it was taken away.
    if _numbers(checkpoint).get("averaged") and AVERAGE not in there:
        raise RunError(f"{AVERAGE} is missing")


def _numbers(checkpoint: Path) -> dict[str, Any]:
    """What `TrainingState.numbers` gave. Errors: `RunError`."""
    try:
        numbers = json.loads(read_bytes(checkpoint / NUMBERS))
    except ValueError as error:
        raise RunError(f"{NUMBERS} is not JSON") from error
    if not isinstance(numbers, dict):
        raise RunError(f"{NUMBERS} holds no numbers")
    return numbers


def _restore(checkpoint: Path, state: TrainingState) -> None:
    """Read all files, then change `state`. Errors: `RunError` for another network's."""
    learner = state.learner
    numbers = _numbers(checkpoint)
    state.require_kinds(numbers)
    weights, _ = load_tensors(checkpoint / NETWORK)
    average = load_tensors(checkpoint / AVERAGE)[0] if learner.averaged is not None else {}
    optimizer, _ = load_tensors(checkpoint / OPTIMIZER)
    try:
        learner.network.load_state_dict(weights)
    except RuntimeError as error:
        if out_of_memory(error):
            raise
        fact = "its spec.yaml was changed; put it back, or train anew"
        raise RunError(f"{checkpoint}: {fact}") from error
    if learner.averaged is not None:
        learner.averaged.load_state_dict(average)
    state.statistics = optimizer.pop(STATISTICS, None)
    _restore_optimizer(learner.optimizer, optimizer)
    state.adopt(numbers)


def scored_weights(checkpoint: Path, averaged: bool) -> Path:
    """The file of a checkpoint with the weights that were scored: the average, where one is kept.

    An average that is missing is not replaced by the weights that were averaged.
    """
    return checkpoint / (AVERAGE if averaged else NETWORK)


def _optimizer_tensors(state: TrainingState) -> dict[str, Tensor]:
    """The optimizer's moments by parameter number, and the statistics of what was trained on."""
    optimizer = state.learner.optimizer
    tensors = {
        # Some optimizers count steps in a Python number, which safetensors cannot hold.
        f"{number}.{name}": torch.as_tensor(value)
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
        if value is not None  # as SGD has it before its first step
    }
    return tensors if state.statistics is None else {**tensors, STATISTICS: state.statistics}


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Moments in their parameters' memory format, which a GPU's fused kernels insist on."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    moments: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        parameter = parameters[int(number)]
        if value.shape == parameter.shape:
            value = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
        moments.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
