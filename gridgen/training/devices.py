"""Where a training runs: device, processes, precision."""

import os
from contextlib import AbstractContextManager

import torch
from torch import Tensor, distributed

from gridgen.errors import RunError

KINDS = ("auto", "cpu", "cuda", "mps", "xpu")


def choose_device(name: str = "auto") -> torch.device:
    """`auto` is the GPU where there is one, else the CPU. Errors: `RunError`."""
    kind = name.split(":")[0]
    if kind not in KINDS:
        raise RunError(f"{name!r} is no device; there are: {', '.join(KINDS)}")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        fact = str(error).splitlines()[0]
        raise RunError(f"device {name!r} cannot be used: {fact}; try --device cpu") from error
    if device.type == "cuda" and device.index is None and world_size() > 1:
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return device


def world_size() -> int:
    """Number of processes that `torchrun` started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Which of them this is."""
    return int(os.environ.get("RANK", "0"))


def join_group(device: torch.device) -> None:
    """Meet the other processes of `torchrun`, once."""
    if world_size() > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")


def meet() -> None:
    """Wait until all processes are here."""
    if world_size() > 1:
        distributed.barrier()


def summed(values: Tensor) -> Tensor:
    """`values` added up over all processes."""
    if world_size() > 1:
        distributed.all_reduce(values)
    return values


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """The context in which the forward pass runs."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def greatest(value: Tensor) -> Tensor:
    """The greatest `value` of all processes."""
    if world_size() > 1:
        distributed.all_reduce(value, distributed.ReduceOp.MAX)
    return value
