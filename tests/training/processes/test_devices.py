"""Where a training runs, as one of several processes and on systems that tell less."""

import os
import subprocess
import sys

import pytest
import torch

from gridgen.errors import DeviceError
from gridgen.training.processes import devices
from gridgen.training.processes.precision import slow_precision


@pytest.fixture
def fourth(monkeypatch):
    """The fourth of four processes on a machine."""
    for name, value in {"WORLD_SIZE": 4, "LOCAL_WORLD_SIZE": 4, "LOCAL_RANK": 3, "RANK": 3}.items():
        monkeypatch.setenv(name, str(value))


@pytest.mark.usefixtures("fourth")
def test_a_process_takes_the_gpu_of_its_own_number(monkeypatch):
    touched = []
    monkeypatch.setattr(torch, "empty", lambda _size, device: touched.append(device))
    assert devices.choose_device("cuda") == torch.device("cuda:3")
    assert touched == [torch.device("cuda:3")]


@pytest.mark.usefixtures("fourth")
@pytest.mark.skipif(torch.cuda.device_count() > 3, reason="this machine has four GPUs")
def test_a_process_without_a_gpu_of_its_own_is_refused():
    with pytest.raises(DeviceError, match=r"^device 'cuda:3' cannot be used: "):
        devices.choose_device("cuda")


@pytest.mark.usefixtures("fourth")
@pytest.mark.parametrize("known", [True, False])
def test_cores_are_shared_by_the_processes_of_a_machine(monkeypatch, known):
    if known:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(16)))
    else:
        monkeypatch.delattr(os, "sched_getaffinity")
        monkeypatch.setattr(os, "cpu_count", lambda: 16)
    assert devices.cores() == 4
    assert devices.workers("auto", torch.device("cuda")) == 3
    assert devices.workers("auto", torch.device("cpu")) == 0


@pytest.mark.usefixtures("fourth")
def test_what_one_process_does_is_refused_to_four():
    with pytest.raises(DeviceError) as caught:
        devices.require_alone("searches")
    assert str(caught.value) == "one process searches, not 4; run without torchrun"


@pytest.mark.parametrize(
    ("instructions", "device", "precision", "told"),
    [
        ({"avx512_bf16": False, "amx_bf16": False}, "cpu", "bf16", True),
        ({"avx512_bf16": False, "amx_bf16": False}, "cpu", "fp32", False),
        ({"avx512_bf16": True, "amx_bf16": False}, "cpu", "bf16", False),
        ({"avx512_bf16": False, "amx_bf16": False}, "cuda", "bf16", False),
        ({"neon": True}, "cpu", "bf16", False),  # another kind of processor: nothing is known
    ],
)
def test_a_precision_that_is_slow_here_is_told(monkeypatch, instructions, device, precision, told):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    line = slow_precision(torch.device(device), precision)
    assert ("recipe.precision=fp32" in line) is told


# A thread that wants Python's lock gets it only where the other waits for something.
LEAVE = """
import faulthandler, sys, torch
from torch import nn
from gridgen.training.processes import devices
faulthandler.dump_traceback_later(100, exit=True)
sys.setswitchinterval(100)
devices.world_size = lambda: 2
for _ in range(30):
    with devices.group(torch.device("cpu")):
        network = devices.shared(nn.Linear(1, 1))
        devices.greatest(torch.tensor([1, 2]))
    del network
"""


def test_a_group_of_processes_is_left_while_its_threads_still_free_tensors():
    """A group that waits for such a thread, which waits for Python's lock, hangs for ever."""
    alone = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    left = subprocess.run(
        [sys.executable, "-c", LEAVE], env={**os.environ, **alone}, capture_output=True, text=True
    )
    assert left.returncode == 0, left.stderr
