"""Several processes join, and leave again: at the end, and where one of them fails."""

import os
import subprocess
import sys

import pytest
import torch
from torch import distributed
from two_processes import run_two

from gridgen.errors import DeviceError
from gridgen.training.processes.group import fact_of_others, joined

CPU = torch.device("cpu")

# A thread that wants Python's lock gets it only where the other waits for something.
LEAVE = """
import faulthandler, sys, torch
from torch import nn
from gridgen.training.processes import devices
from gridgen.training.processes.group import joined
faulthandler.dump_traceback_later(60, exit=True)
sys.setswitchinterval(100)
devices.world_size = lambda: 2
for _ in range(30):
    with joined(torch.device("cpu")):
        network = devices.shared(nn.Linear(1, 1))
        devices.greatest(torch.tensor([1, 2]))
    del network
"""

# The first process fails in its first group, and goes on as the other does.
FAIL = """
import faulthandler, sys, torch
from torch import nn
from gridgen.errors import TrainingError
from gridgen.training.processes import devices
from gridgen.training.processes.group import joined
faulthandler.dump_traceback_later(60, exit=True)
sys.setswitchinterval(100)
def train(number):
    with joined(torch.device("cpu")):
        network = devices.shared(nn.Linear(1, 1))
        devices.greatest(torch.tensor([1, 2]))
        if (number, devices.rank()) == (0, 0):
            raise TrainingError("the disk is full")
        devices.greatest(torch.tensor([1, 2]))
ends = []
for number in range(3):
    try:
        train(number)
        ends.append("trained")
    except TrainingError as error:
        ends.append(str(error))
print(ends)
"""


def test_a_group_is_left_while_its_threads_still_free_tensors():
    """A group that waits for such a thread, which waits for Python's lock, hangs for ever."""
    alone = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    left = subprocess.run(
        [sys.executable, "-c", LEAVE], env={**os.environ, **alone}, capture_output=True, text=True
    )
    assert left.returncode == 0, left.stderr


@pytest.mark.slow
def test_where_one_fails_the_other_is_told_and_both_go_on(tmp_path):
    failed, lost = (printed.strip() for printed in run_two(tmp_path, FAIL))
    assert failed == "['the disk is full', 'trained', 'trained']"
    assert lost == "['Another process of this training has ended.', 'trained', 'trained']"


def test_processes_without_a_way_to_meet_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    with (
        pytest.raises(DeviceError, match=r"WORLD_SIZE is 2, but .*RANK.*; start all processes by"),
        joined(CPU),
    ):
        pass


@pytest.mark.parametrize(
    ("error", "fact"),
    [
        (RuntimeError("[.../gloo/transport/tcp/pair.cc:547] Connection closed by peer"), "ended."),
        (RuntimeError("[.../gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting"), "waits."),
        (distributed.DistBackendError("NCCL error: remote process exited or there"), "ended."),
        (distributed.DistBackendError("Duplicate GPU detected : rank 1"), "GPU detected : rank 1."),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ""),
    ],
)
def test_what_torch_says_of_other_processes_is_told_in_a_line(error, fact):
    told = fact_of_others(error)
    assert told.endswith(fact)
    assert bool(told) == bool(fact)
