"""Exact counts of the paper's full grid as formulas, without a grid.

For GridNet(N_S, F_0, s, u) with the paper's units, stem and head: s sub columns, then u up
columns, channels doubling, sum fusion, lateral identities. Derived in `docs/counting.md`, proven
equal to the sum over the Grid in the tests. Plain ints give ints, exact at any size; arrays of
whole numbers broadcast and give int64, or an error where a count is above 2^62 (`exact.py`).

>>> parameters(streams=5, base_channels=16, sub=3, up=3, in_channels=3, classes=19)
13181097
>>> import numpy as np
>>> grid_macs(5, np.array([8, 16]), 3, 3, height=400, width=400)
array([ 7925760000, 31703040000])
"""

from gridgen.analysis.closed_form import formulas
from gridgen.analysis.exact import exact

grid_parameters = exact(formulas.grid_parameters)
stem_parameters = exact(formulas.stem_parameters)
head_parameters = exact(formulas.head_parameters)
parameters = exact(formulas.parameters)
grid_activations = exact(formulas.grid_activations)
activations = exact(formulas.activations)
grid_macs = exact(formulas.grid_macs)
macs = exact(formulas.macs)

__all__ = [
    "activations",
    "grid_activations",
    "grid_macs",
    "grid_parameters",
    "head_parameters",
    "macs",
    "parameters",
    "stem_parameters",
]
