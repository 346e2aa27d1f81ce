"""How well a trained network predicts: a score over a split, of each image, and tables of both."""

from gridgen.training.scoring.evaluation import Evaluation, evaluate
from gridgen.training.scoring.gallery import Exhibit, Gallery
from gridgen.training.scoring.per_image import ImageScore, Observer, score_network

__all__ = [
    "Evaluation",
    "Exhibit",
    "Gallery",
    "ImageScore",
    "Observer",
    "evaluate",
    "score_network",
]
