"""Recipes: how a network is trained, as a YAML file. Says nothing of the network or the data."""

from gridgen.training.recipe.extending import RECIPES
from gridgen.training.recipe.recipe import Recipe, changed_recipe, load_recipe, setting_of
from gridgen.training.recipe.sections import Augmentation, Crop, TrainingStep
