"""Images and their labels, one split at a time. Knows nothing of networks or of training."""

from gridgen.data.dataset import IGNORE, Dataset, Sample
from gridgen.data.datasets import DATASETS, DatasetEntry, load_dataset
from gridgen.data.images import read_image

__all__ = [
    "DATASETS",
    "IGNORE",
    "Dataset",
    "DatasetEntry",
    "Sample",
    "load_dataset",
    "read_image",
]
