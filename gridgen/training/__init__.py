"""From a grid and a dataset to a trained network: recipe, loop, scores, predictions."""

from gridgen.training.evaluate import Evaluation, evaluate
from gridgen.training.predict import predict
from gridgen.training.recipe import RECIPES, Recipe, load_recipe
from gridgen.training.run import Run
from gridgen.training.train import resume, train

__all__ = [
    "RECIPES",
    "Evaluation",
    "Recipe",
    "Run",
    "evaluate",
    "load_recipe",
    "predict",
    "resume",
    "train",
]
