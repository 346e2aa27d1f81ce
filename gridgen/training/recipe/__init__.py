"""Recipes: how a network is trained, as a YAML file. Says nothing of the network or the data."""

from gridgen.training.recipe.recipe import RECIPES, Recipe, changed_recipe, load_recipe, setting_of
from gridgen.training.recipe.sections import Augmentation, Crop, TrainingStep
