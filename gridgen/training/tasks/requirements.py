"""The splits that a training reads, and what spec, recipe, inference and data must agree on.

All of it is checked before anything is written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from gridgen.analysis import Size, legal_size
from gridgen.analysis.sizes import larger_size
from gridgen.data import Dataset, load_dataset
from gridgen.data.subsets import divided, require_fold
from gridgen.errors import OutOfMemoryError, SizeError, SpecError, UsageError
from gridgen.grid import Architecture, Grid, build_grid
from gridgen.spec import GridSpec, NetworkSpec
from gridgen.training.inference import Inference
from gridgen.training.processes.devices import out_of_memory
from gridgen.training.recipe import Recipe
from gridgen.training.tasks import HOLDOUT, VAL, Task, task_of
from gridgen.training.tasks.augmentation import require_kornia
from gridgen.training.windows import given_sizes

BY_FLAG = "see images through windows, --window 512 or fewer pixels"
BY_RECIPE = "set inference: windows in the recipe, or a smaller window."
"""Advice where memory runs out, for the command line and for a training."""


def require_inference(inference: Inference, spec: NetworkSpec, task: Task) -> None:
    """Check that the grid takes the windows, and that images may be resized if there are scales.

    Errors: `SpecError`.
    """
    fault = _unsuited(inference, spec, task)
    if fault is not None:
        raise inference.blame(fault)


def _unsuited(inference: Inference, spec: NetworkSpec, task: Task) -> SpecError | None:
    """The fault that `require_inference` raises, at a field of the inference, or None."""
    if not task.resizable and inference.scales != (1.0,):
        shown = ", ".join(f"{scale:g}" for scale in inference.scales)
        fact = f"{shown}, but resizing an image changes its noise; set scales: [1]"
        return SpecError(fact, ("scales",))
    side = inference.window
    if side is None:
        return None
    try:
        legal_size(spec, (side, side))
    except SizeError:
        larger, _ = larger_size(spec, (side, side))
        fact = f"{side}, but {spec.needs}; set window: {larger}, or size: pad in the spec"
        return SpecError(fact, ("window",))
    return None


def require_images(inference: Inference, spec: NetworkSpec, dataset: Dataset, split: str) -> None:
    """Check that the grid takes every image of a dataset by its size, without reading it.

    Errors: `SizeError` that names the first image that does not fit.
    """
    for name, size in zip(dataset.names, dataset.sizes, strict=True):
        require_image(inference, spec, size, f"{dataset.name}, {split}, image {name}")


def require_image(inference: Inference, spec: NetworkSpec, size: Size, where: str) -> None:
    """Check that the grid takes what it is given of an image of `size`. Errors: `SizeError`."""
    for given in given_sizes(inference, size, spec):
        require_size(spec, given, where)


def require_size(spec: NetworkSpec, size: Size, where: str) -> None:
    """Check that the grid takes images of `size` (height, width). Errors: `SizeError`."""
    try:
        legal_size(spec, size)
    except SizeError as error:
        raise SizeError(f"{where}: {error}") from error


@contextmanager
def within_memory(name: str, fix: str) -> Iterator[None]:
    """Turn memory that runs out on the image called `name` into an `OutOfMemoryError`."""
    try:
        yield
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise OutOfMemoryError(f"{name}: memory ran out; {fix}") from error


class Splits(NamedTuple):
    """The datasets that a training reads: images to train on, to score as val, and held out."""

    train: Dataset
    val: Dataset
    holdout: Dataset | None = None


def load_splits(
    data: str, held_out: str | None = None, fold: str | None = None, group: str | None = None
) -> Splits:
    """The train and val splits of `data`; images of train that match are held out.

    With a fold, such as 2/5, val is that fold of the other images of train, and the split val of
    the data is not read; names with an equal `group` are in one fold. Errors: `DataError`,
    `UsageError` for a group without a fold.
    """
    if fold is not None:
        require_fold(fold)
    elif group is not None:
        raise UsageError("--group: it keeps images together in a fold; give --fold 1/5 too")
    # First, since reading train may take minutes, after which nobody wants to hear that val lacks.
    val = load_dataset(data, "val") if fold is None else None
    train, part, apart = divided(load_dataset(data, "train"), held_out, fold, group)
    scored = val if part is None else part
    assert scored is not None
    return Splits(train, scored, apart)


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
    """Check that the network can be trained on the splits by the recipe.

    Errors: `SpecError` where classes or channels differ, or where crops would be resized or images
    augmented that must not be, or where the recipe's inference does not suit; `UsageError` where
    kornia is missing; `DataError` where an image is too small for the crops; `SizeError` where a
    crop, or what is seen of an image that is scored, has a size that the grid cannot take.
    """
    train, val, held_out = splits
    # First of all, as a spec that is made to fit what nothing can be trained on helps nobody.
    task_of(train).require(recipe, train)
    for split in (train, val):
        require_fit(spec, split)
    _require_losses(recipe, train)
    require_kornia(recipe)
    require_size(spec, (recipe.crop.size, recipe.crop.size), "recipe, crop.size")
    if (fault := _unsuited(recipe.inference, spec, task_of(train))) is not None:
        raise recipe.blame(SpecError(str(fault), ("inference", *fault.field)))
    scored = {VAL: val} if held_out is None else {VAL: val, HOLDOUT: held_out}
    for part, dataset in scored.items():
        require_images(recipe.inference, spec, dataset, part)


def _require_losses(recipe: Recipe, dataset: Dataset) -> None:
    """The recipe's losses compare what the labels are. Errors: `SpecError`."""
    task = task_of(dataset)
    for loss in recipe.loss or ():
        if loss.name not in task.losses:
            fact = f"{loss.name}, but {dataset.name} is for {task.name}"
            fix = f"set loss: {' or '.join(task.losses)}, or remove this field"
            raise recipe.blame(SpecError(f"{fact}; {fix}", ("loss",)))


def require_fit(spec: NetworkSpec, dataset: Dataset) -> None:
    """Check that the spec's classes and in_channels are the dataset's. Errors: `SpecError`.

    No dataset has volumes or signals, nor features that enter beside the image, without which
    their blocks stay untrained.
    """
    if spec.dimensions != 2:
        fact = f"{spec.dimensions}, but the data {dataset.name} has images; set dimensions: 2"
        raise spec.blame(SpecError(fact, ("dimensions",)))
    for field, value in _wanted(dataset).items():
        given = getattr(spec, field)
        if given != value:
            said = given if field in spec.model_fields_set else f"{field} is {given} by default"
            fact = f"{said}, but the data {dataset.name} has {value}; set {field}: {value}"
            raise spec.blame(SpecError(fact, (field,)))
    if isinstance(spec, GridSpec) and spec.side_channels:
        fact = f"the data {dataset.name} has images alone, no features to enter; remove this field"
        raise spec.blame(SpecError(fact, ("side_channels",)))


def _wanted(dataset: Dataset) -> dict[str, int]:
    """The fields of a spec that a dataset decides, with their values."""
    return {"classes": task_of(dataset).outputs(dataset), "in_channels": dataset.channels}
