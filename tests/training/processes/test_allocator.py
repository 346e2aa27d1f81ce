"""Memory that a step frees is kept for the next one."""

import subprocess
import sys

import pytest

from gridgen.training.processes import allocator

FAULTS = """
import resource, sys
import torch
from gridgen.training.loop.measurement import resident
from gridgen.training.processes.allocator import freed_memory_kept

def step():
    return [torch.ones(2**18) for _ in range(40)]

with freed_memory_kept() as kept:
    step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        step()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    held = resident("VmRSS")
print(kept, faults, held - resident("VmRSS"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is of glibc")
def test_the_pages_of_a_step_are_there_in_the_next(monkeypatch):
    def told(**environment):
        with monkeypatch.context() as patched:
            for name in (*allocator.SETTINGS, *allocator.OTHERS):
                patched.delenv(name, raising=False)
            for name, value in environment.items():
                patched.setenv(name, value)
            found = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, check=True)
        kept, faults, given_back = found.stdout.decode().split()
        return kept, int(faults), int(given_back)

    kept, faults, given_back = told()
    without, more, _ = told(MALLOC_TRIM_THRESHOLD_="0")
    assert (kept, without) == ("True", "False")
    assert faults < 0.1 * more
    assert given_back > 30 * 2**20  # of the forty megabytes of a step


def test_where_there_is_no_glibc_nothing_is_done(monkeypatch):
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: object())
    for name in (*allocator.SETTINGS, *allocator.OTHERS):
        monkeypatch.delenv(name, raising=False)
    with allocator.freed_memory_kept() as kept:
        assert not kept
