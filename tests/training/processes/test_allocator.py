"""Memory that a step frees is kept for the next one."""

import subprocess
import sys

import pytest

from gridgen.training.processes import allocator

FAULTS = """
import resource, sys
import torch
from gridgen.training.processes.allocator import keep_freed_memory

kept = keep_freed_memory()
def step():
    return [torch.ones(2**18) for _ in range(40)]
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is of glibc")
def test_the_pages_of_a_step_are_there_in_the_next(monkeypatch):
    def told(**environment):
        with monkeypatch.context() as patched:
            for name in (*allocator.SETTINGS, "LD_PRELOAD", "GLIBC_TUNABLES"):
                patched.delenv(name, raising=False)
            for name, value in environment.items():
                patched.setenv(name, value)
            found = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, check=True)
        kept, faults = found.stdout.decode().split()
        return kept, int(faults)

    kept, faults = told()
    without, more = told(MALLOC_TRIM_THRESHOLD_="0")
    assert (kept, without) == ("True", "False")
    assert faults < 0.1 * more


def test_where_there_is_no_glibc_nothing_is_done(monkeypatch):
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: object())
    for name in (*allocator.SETTINGS, "LD_PRELOAD", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    assert not allocator.keep_freed_memory()
