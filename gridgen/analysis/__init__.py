"""What a grid costs and how it behaves, without building it. No torch."""

from gridgen.analysis.count import Count, count
from gridgen.analysis.diff import Difference, diff
from gridgen.analysis.paths import count_paths
from gridgen.analysis.receptive import receptive_field
from gridgen.analysis.relate import Relation, relate
from gridgen.analysis.sizes import legal_size
from gridgen.grid.trace import Size

__all__ = [
    "Count",
    "Difference",
    "Relation",
    "Size",
    "count",
    "count_paths",
    "diff",
    "legal_size",
    "receptive_field",
    "relate",
]
