"""What the machine that builds a network can hold."""

import os

from gridgen.analysis.memory.weights import weights
from gridgen.errors import TooLargeError
from gridgen.grid import Grid


def host_memory() -> int:
    """Bytes of the machine's memory, those in use too."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def require_memory(grid: Grid) -> None:
    """Refuse a network larger than the machine, which would take it down when it is made.

    Errors: `TooLargeError`.
    """
    values = weights(grid).values
    memory = host_memory()
    if 4 * values > memory:
        raise TooLargeError(
            f"The network has {values:,} parameters, {4 * values / 2**30:,.1f} GiB in fp32; this "
            f"machine has {memory / 2**30:,.1f} GiB. Use fewer streams or channels."
        )
