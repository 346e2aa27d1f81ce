"""The splits that a training reads, checked against spec and recipe before anything is written."""

import json
from hashlib import sha256
from typing import NamedTuple

from gridgen.data import Dataset, load_dataset
from gridgen.data.part import holdout
from gridgen.errors import DataError, SpecError
from gridgen.grid import Architecture, Grid, build_grid
from gridgen.spec import GridSpec, NetworkSpec
from gridgen.training.augmentation import require_augmentation
from gridgen.training.inference.require import require_images, require_size, unsuited
from gridgen.training.recipe import Recipe
from gridgen.training.tasks import Task, task_of

HOLDOUT = "holdout"
"""The name of images of train that were held out, where a split is asked for."""


class Splits(NamedTuple):
    """What a training reads."""

    train: Dataset
    val: Dataset
    holdout: Dataset | None = None


def load_splits(data: str, held_out: str | None = None) -> Splits:
    """The train and val splits of `data`; images of train that match are held out.

    Errors: `DataError`.
    """
    train, val = load_dataset(data, "train"), load_dataset(data, "val")
    if held_out is None:
        return Splits(train, val)
    kept, apart = holdout(train, held_out)
    return Splits(kept, val, apart)


def digest(splits: Splits) -> str:
    """SHA-256 of the names and sizes of all images: other images are another order of steps."""
    held = [list(zip(part.names, part.sizes, strict=True)) for part in splits if part is not None]
    return sha256(json.dumps(held).encode()).hexdigest()


def adopt(grid: Grid, dataset: Dataset) -> Grid:
    """A published network with the dataset's classes and channels, where its spec leaves them open.

    A network of the paper's family says itself what it is for.
    """
    spec = grid.spec
    if not isinstance(spec, Architecture):
        return grid
    wanted, said = _wanted(dataset), spec.model_fields_set
    changes = {field: value for field, value in wanted.items() if field not in said}
    return build_grid(spec.but(**changes)) if changes else grid


def require_splits(spec: NetworkSpec, splits: Splits, recipe: Recipe) -> None:
    """The network can be trained on what the splits hold.

    Errors: `SpecError` where classes or channels differ, or where crops would be resized or images
    augmented that must not be, or where the recipe's inference does not suit; `UsageError` where
    kornia is missing; `DataError` where an image is too small for the crops; `SizeError` where a
    crop, or what is seen of an image that is scored, has a size that the grid cannot take.
    """
    train, val, held_out = splits
    for split in (train, val):
        require_fit(spec, split)
    if not task_of(train).classes:
        _require_no_classes(recipe, train)
    if not task_of(train).resizable:
        _require_crops_as_they_are(recipe, train)
    require_augmentation(recipe, train)
    require_size(spec, (recipe.crop.size, recipe.crop.size), "recipe, crop.size")
    _require_inference(spec, recipe, task_of(train))
    scored = {"val": val} if held_out is None else {"val": val, HOLDOUT: held_out}
    for part, dataset in scored.items():
        require_images(recipe.inference, spec, dataset, part)


def require_fit(spec: NetworkSpec, dataset: Dataset) -> None:
    """The spec's classes and in_channels are the dataset's, or a `SpecError` at its line.

    No dataset has features that enter beside the image, without which their blocks stay untrained.
    """
    for field, value in _wanted(dataset).items():
        given = getattr(spec, field)
        if given != value:
            said = given if field in spec.model_fields_set else f"{field} is {given} by default"
            fact = f"{said}, but the data {dataset.name} has {value}; set {field}: {value}"
            raise spec.blame(SpecError(fact, (field,)))
    if isinstance(spec, GridSpec) and spec.side_channels:
        fact = f"the data {dataset.name} has images alone, no features to enter; remove this field"
        raise spec.blame(SpecError(fact, ("side_channels",)))


def _require_no_classes(recipe: Recipe, train: Dataset) -> None:
    """The recipe says nothing of classes, which `train` has not."""
    for field in ("class_weights", "label_smoothing"):
        if getattr(recipe, field) not in ("none", 0):
            fact = f"{train.name} has images for labels, no classes; remove this field"
            raise recipe.blame(SpecError(fact, (field,)))


def _require_inference(spec: NetworkSpec, recipe: Recipe, task: Task) -> None:
    """The recipe's inference suits the network and what it is for."""
    fault = unsuited(recipe.inference, spec, task)
    if fault is not None:
        raise recipe.blame(SpecError(str(fault), ("inference", *fault.field)))


def _require_crops_as_they_are(recipe: Recipe, train: Dataset) -> None:
    """No crop of `train` is resized, which would change the noise on it."""
    crop, name = recipe.crop, train.name
    if not crop.smallest == crop.largest == crop.size:
        sides = f"smallest {crop.smallest}, largest {crop.largest} and size {crop.size} differ"
        fact = f"{sides}, but resizing changes the noise of {name}; set all three to {crop.size}"
        raise recipe.blame(SpecError(fact, ("crop",)))
    shorter, index = min((min(size), index) for index, size in enumerate(train.sizes))
    if shorter < crop.size:
        height, width = train.sizes[index]
        raise DataError(
            f"{name}, train, image {train[index].name}: Image is {height}x{width}; enlarging it to "
            f"crops of {crop.size} changes the noise. Set smallest, largest and size of the "
            f"recipe's crop to {shorter} or less, or remove the image."
        )


def _wanted(dataset: Dataset) -> dict[str, int]:
    """Fields of a spec that a dataset decides."""
    return {"classes": task_of(dataset).outputs(dataset), "in_channels": dataset.channels}
