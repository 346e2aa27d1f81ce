"""Joining the other processes of a training, and leaving them again."""

import atexit
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

# Default arguments of its functions are the group that there is when it is imported, which DDP
# does: they would keep the first group for ever.
import torch.distributed.nn
from torch import distributed

from gridgen.errors import DeviceError, Interrupted, TrainingError
from gridgen.training.processes import devices

_groups = itertools.count()
# Torch frees a group with Python's lock held, and waits for its threads, one of which may wait for
# that lock to free a tensor of the last sum. Where Python's handle of gloo is what goes last, the
# lock is given back meanwhile. So each handle is kept until there is another group, or to the end.
_handles: list[object] = []
atexit.register(_handles.clear)
# The first process may be the server of the store, to which the others come for the next group.
_stores: list[object] = []


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Join the other processes of `torchrun`, where it started several.

    Errors: `DeviceError` where their number is known, but not how to find them; `TrainingError`
    where another process ends meanwhile.
    """
    if devices.world_size() == 1:
        yield
        return
    together = device.type != "cuda"
    try:
        _join(device)
        yield
        together = True
    except Interrupted:  # which all processes raise at one step
        together = True
        raise
    except RuntimeError as error:  # of which torch's DistError is one
        if fact := fact_of_others(error):
            raise TrainingError(fact) from error
        raise
    finally:
        # NCCL leaves a group in all processes at once. One that has failed alone would wait there
        # for the others, which wait for it; when it just ends, they are told.
        if together and distributed.is_initialized():
            distributed.destroy_process_group()


def _join(device: torch.device) -> None:
    _handles.clear()  # which closes the connections of the last group
    try:
        store, rank, size = next(distributed.rendezvous("env://"))  # type: ignore[attr-defined]
    except ValueError as error:
        fact = f"WORLD_SIZE is {devices.world_size()}, but {error}"
        raise DeviceError(f"{fact}; start all processes by torchrun") from error
    _stores[:] = [store]
    # In a store are the addresses of earlier groups too, and of an earlier start of the processes.
    start = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    store = distributed.PrefixStore(f"start {start}, group {next(_groups)}", store)  # type: ignore[attr-defined]
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # What processes say on their CPUs, whether to stop above all, never waits for a GPU.
    backends = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backends, store=store, rank=rank, world_size=size)
    world = distributed.group.WORLD
    assert world is not None
    _handles.append(world._get_backend(torch.device("cpu")))


# What errors of gloo and NCCL say where another process is gone.
LOST = ("closed by peer", "reset by peer", "remote process exited", "refused", "Broken pipe")


def fact_of_others(error: Exception) -> str:
    """What an error of torch says of the other processes, in a line; "" where it is of none."""
    said = str(error)
    if not isinstance(error, distributed.DistError) and "gloo/transport" not in said:
        return ""
    if "imed out" in said:
        return "Another process of this training has not answered for as long as torch waits."
    if isinstance(error, distributed.DistBackendError) and not any(each in said for each in LOST):
        return f"{said.splitlines()[0].rstrip('.')}." if said else "Processes cannot be joined."
    return "Another process of this training has ended."
