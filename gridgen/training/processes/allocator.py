"""The C library's allocator, told to keep what a training step frees: the next asks for as much.

Without it, the memory of activations goes back to the system after every step, and each of its
pages is cleared and mapped again in the next one.
"""

import ctypes
import os

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""What `mallopt` of glibc calls them, in malloc.h."""
KEPT = 2**30
"""Free bytes at the end of the heap above which they are given back."""
LARGEST = 2**25
"""Bytes of an allocation from which on it is one of its own; glibc allows no more."""
SETTINGS = {
    "MALLOC_TRIM_THRESHOLD_": (TRIM_THRESHOLD, KEPT),
    "MALLOC_MMAP_THRESHOLD_": (MMAP_THRESHOLD, LARGEST),
}


def keep_freed_memory() -> bool:
    """Have this process keep freed memory for its next allocation; whether that was possible.

    Not where a variable of the environment says how, nor without glibc.
    """
    if any(name in os.environ for name in (*SETTINGS, "LD_PRELOAD", "GLIBC_TUNABLES")):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # macOS, musl, Windows
        return False
    done = [bool(mallopt(*setting)) for setting in SETTINGS.values()]
    return all(done)
