"""Images and their labels, one split at a time. Nothing here depends on networks or training."""

from gridgen.data.dataset import IGNORE as IGNORE, Dataset as Dataset, Sample as Sample
from gridgen.data.datasets import (
    DATASETS as DATASETS,
    DatasetEntry as DatasetEntry,
    find_dataset as find_dataset,
    load_dataset as load_dataset,
)
