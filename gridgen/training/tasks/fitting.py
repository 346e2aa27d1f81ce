"""Recipes that are fitted to the data, and the lines that say what was changed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from statistics import median_low
from typing import Any

import torch

from gridgen.analysis import count
from gridgen.analysis.sizes import larger_size, smaller_size
from gridgen.arguments import PathLike
from gridgen.data import Dataset
from gridgen.data.datasets import find_dataset
from gridgen.errors import DataError, SpecError, UsageError
from gridgen.grid import Grid
from gridgen.images.files import channel_text
from gridgen.spec import NetworkSpec
from gridgen.spec.network import merged
from gridgen.text import macs_text
from gridgen.training.recipe import Recipe, changed_recipe, load_recipe
from gridgen.training.tasks.augmentation import KORNIA, amounts, require_kornia, unsuited

RecipeLike = Recipe | PathLike | Mapping[str, Any]
"""A recipe, its name or file, or fields over those of the recipe that suits the data."""

LEAST_SIDE = 8
"""Side of the smallest image, and of the smallest size in which a crop is seen, in pixels."""
STEPS = 4000
"""Steps of a recipe that is fitted to a folder."""
PASSES = 3
"""Forward passes that a step is worth: its backward pass computes two gradients of each layer."""


@dataclass(frozen=True)
class ChosenRecipe:
    """A recipe before the data is read: what was asked for, or what is to be fitted to the data.

    Attributes:
        recipe: the recipe that was named, or the one that suits the dataset.
        settings: fields that replace its own.
        fits: True if it is fitted to the images.
    """

    recipe: Recipe
    settings: Mapping[str, Any]
    fits: bool

    @classmethod
    def of(cls, asked: RecipeLike | None, data: str) -> "ChosenRecipe":
        """The recipe that is asked for, of the dataset called `data`. Errors: `SpecError`."""
        if isinstance(asked, Recipe):
            return cls(asked, {}, False)
        if isinstance(asked, str | os.PathLike):
            return cls(load_recipe(asked), {}, False)
        entry, settings = find_dataset(data), asked or {}
        recipe = load_recipe(entry.recipe)
        if not entry.fitted:
            with _errors_of_settings():
                recipe, settings = changed_recipe(recipe, settings), {}
        return cls(recipe, settings, entry.fitted)

    def suited(
        self, dataset: Dataset, spec: NetworkSpec, device: torch.device
    ) -> tuple[Recipe, list[str]]:
        """The recipe for the training images, and lines on what it does that nobody asked for.

        Errors: `SpecError` in the settings.
        """
        recipe, lines = self.recipe, list[str]()
        if self.fits:
            recipe, line = fitted(recipe, dataset, spec, device, self.settings)
            lines.append(line)
        dropped = unsuited(recipe, dataset.channels)
        if dropped:
            lines.append(_left_out(dropped, dataset))
        return _without(recipe, dropped), lines


def work_line(recipe: Recipe, dataset: Dataset, grid: Grid) -> str:
    """The multiply-accumulates of all steps, as a product of what can be lowered."""
    steps, side = recipe.epochs * _per_epoch(recipe, dataset), recipe.crop.size
    once = count(grid, (side, side)).macs.total
    product = f"{steps:,} x {recipe.batch} crops x {macs_text(once)} x {PASSES}"
    whole = macs_text(steps * recipe.batch * once * PASSES)
    return f"work of all steps: {product} = {whole}, as a backward pass is two forward passes"


def _left_out(dropped: list[str], dataset: Dataset) -> str:
    fact = f"{' and '.join(dropped)} of the recipe {'are' if dropped[1:] else 'is'} left out"
    return f"{fact}: {dataset.name} has {channel_text(dataset.channels)}"


def fitted(
    recipe: Recipe,
    dataset: Dataset,
    spec: NetworkSpec,
    device: torch.device,
    settings: Mapping[str, Any],
) -> tuple[Recipe, str]:
    """`recipe` for a dataset of any number and size of images, with `settings` over it, and a line.

    As many epochs as make `STEPS` steps, validations and warm-up in the proportion of `recipe`, and
    crops within the images; fp32 on a CPU. Without kornia, changes that need it are left out.
    Errors: `SpecError` in `settings`.
    """
    own, warmup = merged({}, settings), getattr(recipe.schedule, "warmup", 0.0)
    # Without a warm-up until it is known how many epochs there are.
    fitting = {"schedule.warmup": 0.0, **_crop(recipe, dataset, spec, own)}
    with _errors_of_settings():
        start = changed_recipe(recipe, fitting)
        asked = changed_recipe(start, settings)
        epochs = asked.epochs if "epochs" in own else ceil(STEPS / _per_epoch(asked, dataset))
        share = epochs / recipe.epochs
        fields = {
            "epochs": epochs,
            "validate_every": max(round(recipe.validate_every * share), 1),
            "schedule.warmup": warmup * share,
            # On most CPUs bf16 takes several times as long.
            "precision": "fp32" if device.type == "cpu" else recipe.precision,
        }
        given = {name: value for name, value in fields.items() if not _is_given(name, own)}
        found = changed_recipe(asked, given)
    missing = [] if "augmentation" in own else _missing(found, dataset)
    return _without(found, missing), _line(found, dataset, missing)


def _is_given(name: str, own: Mapping[str, Any]) -> bool:
    """Whether a field is among settings, or its section is replaced by them."""
    field, _, inner = name.partition(".")
    section = own.get(field)
    if inner and isinstance(section, Mapping):
        return inner in section or "name" in section
    return field in own


@contextmanager
def _errors_of_settings() -> Iterator[None]:
    """Errors in fields that were given begin with what they are of."""
    try:
        yield
    except SpecError as error:
        raise SpecError(f"recipe: {error}") from error


def _crop(
    recipe: Recipe, dataset: Dataset, spec: NetworkSpec, own: Mapping[str, Any]
) -> dict[str, int]:
    """The recipe's crop or, for smaller images, one in which they are seen as large as in it.

    Fields of `own` stand, and the others are fitted to them. Errors: `DataError` for images that
    are too small.
    """
    crop, said = recipe.crop, own.get("crop")
    given = {n: v for n, v in said.items() if type(v) is int} if isinstance(said, Mapping) else {}
    # Of smaller images a crop takes what there is, so that a single one does not decide for all.
    side = median_low(min(size) for size in dataset.sizes)
    if side < LEAST_SIDE:
        fact = f"half of its {len(dataset)} images are at most {side} pixels high or wide"
        raise DataError(f"{dataset.name}: {fact}, too small to crop; {LEAST_SIDE} are the least")
    wanted = min(crop.size, side * 3 // 4)
    legal = smaller_size(spec, (wanted, wanted)) or larger_size(spec, (wanted, wanted))
    size = given.get("size", max(legal[0], LEAST_SIDE))
    largest = given.get("largest", min(crop.largest, side))
    smallest = min(crop.smallest, largest, max(round(size * crop.smallest / crop.size), 1))
    return {"crop.smallest": smallest, "crop.largest": largest, "crop.size": size} | {
        f"crop.{name}": value for name, value in given.items()
    }


def _per_epoch(recipe: Recipe, dataset: Dataset) -> int:
    return ceil(len(dataset) / recipe.batch)


def _missing(recipe: Recipe, dataset: Dataset) -> list[str]:
    """The changes that suit the images and need kornia, where it is not installed."""
    try:
        require_kornia(recipe)
    except UsageError:
        others = unsuited(recipe, dataset.channels)
        return [name for name in KORNIA if name in amounts(recipe) and name not in others]
    return []


def _without(recipe: Recipe, changes: list[str]) -> Recipe:
    settings = {f"augmentation.{name}": 0.0 for name in changes}
    return changed_recipe(recipe, settings) if settings else recipe


def _line(recipe: Recipe, dataset: Dataset, missing: list[str]) -> str:
    crop, epochs, number = recipe.crop, recipe.epochs, len(dataset)
    steps = epochs * _per_epoch(recipe, dataset)
    told = f"recipe modern, fitted to {number:,} image{'s' * (number != 1)}: "
    told += f"{steps:,} step{'s' * (steps != 1)} in {epochs:,} epoch{'s' * (epochs != 1)}, each "
    told += f"of {recipe.batch} "
    told += f"crops of {crop.smallest} to {crop.largest} pixels, seen as {crop.size}x{crop.size}"
    if missing:
        told += f", without {', '.join(missing)}, which need pip install 'gridgen[augment]'"
    return f"{told}; --recipe names another"
