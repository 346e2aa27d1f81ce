"""What a grid costs and how it behaves, without building it. No torch.

What compares two grids stands in `relate.py` and `diff.py`.
"""

from gridgen.analysis.count import Count, count
from gridgen.analysis.paths import count_paths
from gridgen.analysis.receptive import receptive_field
from gridgen.analysis.sizes import legal_size
from gridgen.grid.trace import Size

__all__ = ["Count", "Size", "count", "count_paths", "legal_size", "receptive_field"]
