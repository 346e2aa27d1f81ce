"""From a grid and a dataset to a trained network: recipe, loop, scores, predictions."""

from gridgen.training.evaluation import Evaluation, evaluate
from gridgen.training.inference import Inference, infer
from gridgen.training.model import Model, open_model
from gridgen.training.predict import predict
from gridgen.training.recipe import RECIPES, Recipe, load_recipe
from gridgen.training.run import Run
from gridgen.training.train import resume, train

__all__ = [
    "RECIPES",
    "Evaluation",
    "Inference",
    "Model",
    "Recipe",
    "Run",
    "evaluate",
    "infer",
    "load_recipe",
    "open_model",
    "predict",
    "resume",
    "train",
]
