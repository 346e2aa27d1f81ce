"""What a grid costs and how it behaves, without building it. No torch."""

from gridgen.analysis.count import Count, Size, count, legal_size
from gridgen.analysis.paths import count_paths

__all__ = ["Count", "Size", "count", "count_paths", "legal_size"]
