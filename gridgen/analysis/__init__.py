"""What a grid costs and how it behaves, without building it. No torch.

Receptive fields and what compares two grids stand in `receptive.py`, `relations.py` and
`differences.py`.
"""

from gridgen.analysis.counting import Count as Count, count as count
from gridgen.analysis.paths import count_paths as count_paths
from gridgen.analysis.sizes import legal_size as legal_size
from gridgen.grid.tracing import Size as Size
