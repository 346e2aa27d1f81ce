"""The network of a grid as a program: a flat list of operations in execution order. No torch.

The module (`emit/`), the memory model (`memory/`) and every exporter read the same program, so
the forward pass is written down once.
"""

from gridgen.program.compiler import (
    Recompute as Recompute,
    compile_program as compile_program,
    map_operations as map_operations,
)
from gridgen.program.operations import Operation as Operation, Program as Program
