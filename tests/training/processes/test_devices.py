"""Where a training runs, as one of several processes and on systems that tell less."""

import os

import pytest
import torch

from gridgen.errors import DeviceError
from gridgen.memory.host import host_memory
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
def test_one_gpu_for_all_processes_is_refused():
    with pytest.raises(DeviceError, match=r"'cuda:1' is one for all processes; give --device cuda"):
        devices.choose_device("cuda:1")


@pytest.mark.usefixtures("fourth")
def test_memory_is_shared_by_the_processes_of_a_machine():
    assert devices.memory_of(torch.device("cpu")) == host_memory() // 4


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


ASKED = {
    "WORLD_SIZE": devices.world_size,
    "RANK": devices.rank,
    "LOCAL_WORLD_SIZE": devices.local_processes,
}


@pytest.mark.parametrize("name", ASKED)
def test_what_torchrun_does_not_set_so_is_one_line(monkeypatch, name):
    monkeypatch.setenv(name, "x")
    with pytest.raises(DeviceError, match=f"{name}: 'x' is no number; torchrun sets it"):
        ASKED[name]()
