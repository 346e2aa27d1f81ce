"""How well a trained network predicts: a score over a split, of each image, and tables of both."""

from gridgen.training.evaluation.evaluate import Evaluation, evaluate
from gridgen.training.evaluation.gallery import Exhibit, Gallery
from gridgen.training.evaluation.loop import ImageScore, Observer, score_network

__all__ = [
    "Evaluation",
    "Exhibit",
    "Gallery",
    "ImageScore",
    "Observer",
    "evaluate",
    "score_network",
]
