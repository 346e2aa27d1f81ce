"""From a grid and a dataset to a trained network: recipe, loop, scores, predictions."""

from gridgen.training.bands import infer as infer
from gridgen.training.inference import Inference as Inference, load_inference as load_inference
from gridgen.training.loop.measurement import calibrate as calibrate
from gridgen.training.loop.train import resume as resume, train as train
from gridgen.training.recipe import RECIPES as RECIPES, Recipe as Recipe, load_recipe as load_recipe
from gridgen.training.run.ensemble import open_ensemble as open_ensemble
from gridgen.training.run.exporting import export_model as export_model
from gridgen.training.run.folder import Run as Run
from gridgen.training.run.model import Model as Model, open_model as open_model
from gridgen.training.scoring.evaluation import Evaluation as Evaluation, evaluate as evaluate
from gridgen.training.scoring.predictions import predict as predict
