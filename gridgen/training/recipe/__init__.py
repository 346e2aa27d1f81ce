"""Recipes: how a network is trained, as a YAML file. Says nothing of the network or the data."""

from gridgen.training.recipe.extending import RECIPES as RECIPES
from gridgen.training.recipe.recipe import (
    Recipe as Recipe,
    changed_recipe as changed_recipe,
    load_recipe as load_recipe,
    setting_of as setting_of,
)
from gridgen.training.recipe.sections import (
    Augmentation as Augmentation,
    Crop as Crop,
    TrainingStep as TrainingStep,
)
