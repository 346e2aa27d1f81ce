"""The memory of the machine that builds a network."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from gridgen.errors import TooLargeError
from gridgen.grid import Grid
from gridgen.memory.accounting import weights

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def host_memory() -> int:
    """Bytes that this process may use, those in use too: the machine's, or a container's.

    Without bound where the system does not tell (Windows).
    """
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):
        return sys.maxsize
    return min([there, *_limits()])


def _limits() -> Iterator[int]:
    """Memory limits of the control groups of this process (Linux; versions 1 and 2)."""
    for line in _lines(MEMBERSHIP):
        _, controllers, group = line.split(":", 2)
        if controllers in ("", "memory"):
            # Version 2 has one tree and no controller name; version 1 has a tree for memory.
            root = CGROUPS / controllers
            name = "memory.limit_in_bytes" if controllers else "memory.max"
            yield from _limits_of(root, root / group.lstrip("/"), name)


def _limits_of(root: Path, group: Path, name: str) -> Iterator[int]:
    """Memory limits of a control group and of its parents."""
    for folder in (group, *group.parents):
        # Version 2 writes "max" where there is no limit.
        yield from (int(limit) for limit in _lines(folder / name) if limit.isdecimal())
        if folder == root:
            break


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except OSError:
        return []


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
