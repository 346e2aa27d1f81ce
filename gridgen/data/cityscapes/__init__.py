"""Cityscapes as it is downloaded: its labels, and its images with theirs."""

from gridgen.data.cityscapes.dataset import Cityscapes
from gridgen.data.cityscapes.files import is_cityscapes
from gridgen.data.cityscapes.labels import CATEGORIES, LABEL_IDS, LABELS, TRAIN_IDS, Label

__all__ = ["CATEGORIES", "LABELS", "LABEL_IDS", "TRAIN_IDS", "Cityscapes", "Label", "is_cityscapes"]
