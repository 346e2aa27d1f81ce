"""Images and their labels, one split at a time. Nothing here depends on networks or training."""

from gridgen.data.dataset import IGNORE, Dataset, Sample
from gridgen.data.datasets import DATASETS, DatasetEntry, find_dataset, load_dataset
