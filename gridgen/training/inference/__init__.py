"""Inference on one image: whole or in windows, at several scales, mirrored."""

from gridgen.training.inference.windows import infer
from gridgen.training.recipe.inference import INFERENCES, WHOLE, Inference, load_inference

__all__ = ["INFERENCES", "WHOLE", "Inference", "infer", "load_inference"]
