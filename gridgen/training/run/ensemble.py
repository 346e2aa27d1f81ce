"""Several trained networks as one model, whose answers are the mean of theirs."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gridgen.arguments import PathLike, checked
from gridgen.emit.averaging import AveragedNetworks
from gridgen.emit.weights import SUFFIX
from gridgen.errors import UsageError
from gridgen.files import ends_in, is_file
from gridgen.grid.layers import shape_text
from gridgen.training.run.folder import FACTS, is_search
from gridgen.training.run.model import Model, open_model

OneModel = Model | PathLike
ModelLike = Model | PathLike | Sequence[OneModel]
"""An opened model, a run or a weights file, or several, whose predictions are averaged."""
KNOWN = ("data", "note", "holdout", "fold", "group", "fold_names")
"""What an ensemble knows where all its members agree."""


@checked
def open_ensemble(models: Sequence[OneModel], best: bool = False, size: str | None = None) -> Model:
    """Several networks as one model: runs and weights files, seeds of one grid or other grids.

    Of classes their probabilities are averaged, of restored images the values. It knows a fold or
    a holdout where all were trained without the same images. Errors: those of `open_model`;
    `UsageError` where they were trained for different things, or see images in different ways.
    """
    if not models:
        raise UsageError("no model is named; name a run or a weights file")
    opened = [each if isinstance(each, Model) else open_model(each, best, size) for each in models]
    first, *others = opened
    if not others:
        return first
    for each in others:
        _require_alike(first, each)
    networks = [single for each in opened for single in each.networks]
    paths = tuple(path for each in opened for path in (each.path, *each.beside))
    return replace(
        first,
        network=AveragedNetworks(networks, probabilities=bool(first.task.classes)),
        beside=paths[1:],
        named=all(each.named for each in opened),
        untrained=any(each.untrained for each in opened),
        fresh=(),
        weights=f"{len(networks)} networks, their answers averaged",
        **{name: _common(opened, name) for name in KNOWN},
    )


@checked
def as_model(model: ModelLike) -> Model:
    """The model that is meant: opened, or several as one. Errors: as `open_ensemble`."""
    return open_ensemble([model] if isinstance(model, Model | str | os.PathLike) else model)


def is_model(path: PathLike) -> bool:
    """Whether a path is that of a run's folder or of a weights file, rather than of images.

    So is a search's folder, which is refused with what to name instead.
    """
    path = Path(path)
    return ends_in(path, SUFFIX) or is_file(path / FACTS) or is_search(path)


def _common(models: Sequence[Model], name: str) -> Any:
    first = getattr(models[0], name)
    return first if all(getattr(each, name) == first for each in models) else None


def _require_alike(first: Model, other: Model) -> None:
    """Refuse what cannot be averaged. Errors: `UsageError`."""
    names = ("in_channels", "classes", "dimensions")
    pairs = [
        ("task", first.task.name, other.task.name),
        *((name, getattr(first.spec, name), getattr(other.spec, name)) for name in names),
        ("inference", first.answering.described(), other.answering.described()),
        ("scale of images", first.scale, other.scale),
    ]
    if first.named and other.named:
        pairs.append(("classes", [*first.task.classes], [*other.task.classes]))
    for what, ours, theirs in pairs:
        if ours != theirs:
            fact = f"{what}: {_told(theirs)} of {other.path}, but {_told(ours)} of {first.path}"
            raise UsageError(f"{fact}; answers of such networks cannot be averaged")


def _told(value: Any) -> str:
    return shape_text(value) if isinstance(value, tuple) else str(value)
