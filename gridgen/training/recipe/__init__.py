"""Recipes: how a network is trained, as a YAML file. Says nothing of the network or the data."""

from gridgen.training.recipe.crop import Augmentation, Crop
from gridgen.training.recipe.load import RECIPES, load_recipe
from gridgen.training.recipe.recipe import Recipe
from gridgen.training.recipe.schedule import Moment
from gridgen.training.recipe.setting import setting_of

__all__ = ["RECIPES", "Augmentation", "Crop", "Moment", "Recipe", "load_recipe", "setting_of"]
