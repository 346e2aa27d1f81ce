"""Recipes by name."""

from pathlib import Path

from gridgen.training.recipe.extends import RECIPES, source_of
from gridgen.training.recipe.recipe import Recipe

__all__ = ["RECIPES", "load_recipe"]


def load_recipe(name: str | Path) -> Recipe:
    """The recipe called `name` that comes with gridgen, or the YAML file at that path.

    >>> load_recipe("paper").learning_rate
    0.01

    Errors: `SpecError`.
    """
    return Recipe.from_source(source_of(name))
