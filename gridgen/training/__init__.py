"""From a grid and a dataset to a trained network: recipe, loop, scores, predictions."""

from gridgen.training.bands import infer
from gridgen.training.inference import Inference, load_inference
from gridgen.training.loop.measurement import calibrate
from gridgen.training.loop.train import resume, train
from gridgen.training.recipe import RECIPES, Recipe, load_recipe
from gridgen.training.run.ensemble import open_ensemble
from gridgen.training.run.exporting import export_model
from gridgen.training.run.folder import Run
from gridgen.training.run.model import Model, open_model
from gridgen.training.scoring.evaluation import Evaluation, evaluate
from gridgen.training.scoring.predictions import predict
