"""The C library's allocator, told to keep what a training step frees: the next asks for as much.

Without it, the memory of activations goes back to the system after every step, and each of its
pages is cleared and mapped again in the next one.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SETTINGS = {
    # Bytes of an allocation from which on it is mapped on its own; glibc allows no more.
    "MALLOC_MMAP_THRESHOLD_": (-3, 2**25),
    # Free bytes at the end of the heap above which they are given back.
    "MALLOC_TRIM_THRESHOLD_": (-1, 2**30),
}
"""By the variable of the environment that sets it too: its number in malloc.h, and the value."""
OTHERS = ("LD_PRELOAD", "GLIBC_TUNABLES")
"""Variables by which users choose another allocator, or tell this one what to do."""


@contextmanager
def freed_memory_kept() -> Iterator[bool]:
    """Keep freed memory for the next allocation of this process, and give it back at the end.

    Yields whether that is possible: it needs glibc, and nothing is changed where the user has set
    one of `SETTINGS` or `OTHERS`. Allocations of 32 MiB and more are mapped anew as before.
    """
    library = _glibc()
    # The second setting without the first would only switch off what glibc learns by itself.
    kept = library is not None and all(library.mallopt(*each) for each in SETTINGS.values())
    try:
        yield kept
    finally:
        if kept:
            library.malloc_trim(0)


def _glibc() -> Any:
    """The C library of this process, None where it is not glibc or is not to be told anything."""
    if any(name in os.environ for name in (*SETTINGS, *OTHERS)):
        return None
    try:
        library = ctypes.CDLL(None)
        library.mallopt, library.malloc_trim  # noqa: B018 - musl and macOS have neither
    except (AttributeError, OSError, TypeError):
        return None
    return library
