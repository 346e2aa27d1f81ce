"""What stops a training, in one line; a bug of ours stays one."""

import pytest
import torch
from tiny import RECIPE
from torch import distributed

from gridgen.errors import DataError, FileError, OutOfMemoryError, RunError, TrainingError
from gridgen.training.loop.trainer import explained

MEMORY = (
    "Memory ran out at batch 250. Lower crop.size, set recompute: unit, or train anew with a lower "
    "batch."
)
LOST = "Another process of this training has ended."
LOADERS = "Lower workers in the recipe."


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (TrainingError("The loss is nan at step 3."), TrainingError, "The loss is nan at step 3."),
        (DataError("7.png: No such file"), TrainingError, "7.png: No such file."),
        (FileError("a: cannot be written: full"), TrainingError, "a: cannot be written: full."),
        (torch.OutOfMemoryError("CUDA out of memory."), OutOfMemoryError, MEMORY),
        (RuntimeError("DefaultCPUAllocator: can't allocate"), OutOfMemoryError, MEMORY),
        (RuntimeError("std::bad_alloc"), OutOfMemoryError, MEMORY),
        (MemoryError(), OutOfMemoryError, MEMORY),
        (
            RuntimeError("unable to allocate shared memory(shm) for file </torch_7>: (28)"),
            TrainingError,
            f"Shared memory for loaded images ran out. {LOADERS}",
        ),
        (
            RuntimeError("received 0 items of ancdata"),
            TrainingError,
            "Too many open files for the processes that load images. Raise `ulimit -n`, or lower "
            "workers in the recipe.",
        ),
        (distributed.DistNetworkError("it hung up"), TrainingError, LOST),
        (
            RuntimeError("[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:537] Read error"),
            TrainingError,
            LOST,
        ),
        (OSError(24, "Too many open files"), TrainingError, "A file: Too many open files."),
        (OSError(13, "Permission denied", "a/b"), TrainingError, "a/b: Permission denied."),
        (OSError("it broke"), TrainingError, "A file: it broke."),
    ],
)
def test_a_trouble_is_one_line(error, kind, told):
    found = explained(error, RECIPE)
    assert type(found) is kind
    assert str(found) == told
    assert found.exit_code == 3


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a bug"),
        RuntimeError("another bug"),
        RunError("no whole checkpoint"),
    ],
)
def test_what_the_user_cannot_put_right_is_left_as_it_is(error):
    assert explained(error, RECIPE) is None
