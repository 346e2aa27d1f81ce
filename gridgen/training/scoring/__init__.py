"""Scores and predictions of a trained network: of a split, of each image, and as tables."""

from gridgen.training.scoring.cityscapes import CityscapesScore
from gridgen.training.scoring.evaluation import Evaluation, evaluate
from gridgen.training.scoring.per_image import Exhibit, Gallery, ImageScore, Observer, score_network

__all__ = [
    "CityscapesScore",
    "Evaluation",
    "Exhibit",
    "Gallery",
    "ImageScore",
    "Observer",
    "evaluate",
    "score_network",
]
