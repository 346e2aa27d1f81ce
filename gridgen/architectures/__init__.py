"""Published networks written as grids, one file each, with their citation. No torch.

A file says what the network keeps of the paper's grid, what it adds, what is left out, and how
many parameters it has and why. `names.py` lists them.
"""

from gridgen.architectures.load import load_spec as load_spec, spec_of as spec_of
