"""The device and the processes that a training runs on, the precision it computes in, and the
signals that stop it.

Ctrl-C and SIGTERM: finish the step, save, then leave; when all is done, change nothing.
"""

import atexit
import ctypes
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from gridgen.errors import DeviceError, GridgenError, RunError, unknown
from gridgen.memory.host import host_memory

MOST_WORKERS = 16
KINDS = ("auto", "cpu", "cuda")
# It has a new name in torch 2.13, which older ones do not know.
RENAMED = "`broadcast_buffers` is deprecated"

_Value = TypeVar("_Value")


def choose_device(name: str = "auto") -> torch.device:
    """`auto` is the GPU where there is one, else the CPU. Errors: `DeviceError`."""
    if name.split(":")[0] not in KINDS:
        raise DeviceError(unknown("device", name, KINDS, guess=False))
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and world_size() > 1:
        if name != "cuda":
            raise DeviceError(f"device {name!r} is one for all processes; give --device cuda")
        # Before it is touched, lest all touch the first.
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    try:
        device = torch.device(name)
        # torch.device accepts a GPU that is not there; only an allocation tells.
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        fact = str(error).splitlines()[0]
        raise DeviceError(f"device {name!r} cannot be used: {fact}; try --device cpu") from error
    return device


def machine(device: torch.device) -> str:
    """The device and what it is: of a GPU its name, of a CPU the number of cores."""
    if device.type == "cuda":
        return f"{device}, {torch.cuda.get_device_name(device)}"
    return f"{device}, {os.cpu_count()} cores" if device.type == "cpu" else str(device)


def memory_of(device: torch.device) -> int:
    """Bytes, those in use too; of a CPU the share of each process that trains on it."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return host_memory() // local_processes()


def world_size() -> int:
    """Number of processes that `torchrun` started; 1 without it."""
    return _told("WORLD_SIZE", 1)


def rank() -> int:
    """Number of this process among those that `torchrun` started, from 0."""
    return _told("RANK", 0)


def _told(name: str, otherwise: int) -> int:
    """A number that `torchrun` sets in the environment. Errors: `DeviceError`."""
    given = os.environ.get(name, str(otherwise))
    if not given.isdecimal():
        raise DeviceError(f"{name}: {given!r} is no number; torchrun sets it, else leave it out")
    return int(given)


def workers(wanted: int | str, device: torch.device) -> int:
    """Number of processes that load images for this one; `auto` leaves a core to each that trains.

    None on a CPU, whose cores are all busy training.
    """
    if isinstance(wanted, int):
        return wanted
    if device.type == "cpu":
        return 0
    return min(max(cores() - 1, 1), MOST_WORKERS)


def cores() -> int:
    """Number of cores that this process may use as its share."""
    try:
        # os.cpu_count would count cores that a container or taskset withholds.
        there = len(os.sched_getaffinity(0))
    except AttributeError:  # Linux alone knows
        there = os.cpu_count() or 1
    return max(there // local_processes(), 1)


def local_processes() -> int:
    """Number of processes that `torchrun` started on this machine; 1 without it."""
    return _told("LOCAL_WORLD_SIZE", 1)


def require_alone(what: str) -> None:
    """Refuse several processes, which would all do `what`. Errors: `DeviceError`."""
    if world_size() > 1:
        raise DeviceError(f"one process {what}, not {world_size()}; run without torchrun")


def require_share(batch: int) -> None:
    """Check that a batch can be shared equally by all processes. Errors: `DeviceError`."""
    if batch % world_size():
        raise DeviceError(
            f"a batch of {batch} cannot be shared by {world_size()} processes; "
            f"set batch to a multiple of {world_size()}"
        )


def shared(model: nn.Module) -> nn.Module:
    """Wrap `model` for training by all processes; every parameter must be part of every loss."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", RENAMED, FutureWarning)
        # BN statistics are the same in all processes already; sending them would cost every step.
        return DistributedDataParallel(model, broadcast_buffers=False)


def by_first(act: Callable[[], _Value]) -> _Value:
    """Call `act` in the first process only; return or raise what it does in all of them."""
    if world_size() == 1:
        return act()
    outcome: list[Any] = [None]
    if rank() == 0:
        try:
            outcome = [act()]
        # Errors for users are sent to all; a bug ends this process, and the others with its group.
        except GridgenError as error:
            outcome = [error]
    distributed.broadcast_object_list(outcome, 0)
    if isinstance(outcome[0], GridgenError):
        raise outcome[0]
    return outcome[0]  # type: ignore[no-any-return]


def require_agreed(step: int, where: object) -> None:
    """Check that all processes go on from the same step. Errors: `RunError`, naming `where`."""
    last, negative = greatest(torch.tensor([step, -step])).tolist()
    if last + negative:
        raise RunError(
            f"{where}: one process finds step {-negative}, another step {last}; "
            f"give all of them the same folder"
        )


def summed(values: Tensor) -> Tensor:
    """`values` added up over all processes."""
    if world_size() > 1:
        distributed.all_reduce(values)
    return values


class _SummedForLoss(torch.autograd.Function):
    @staticmethod
    def forward(_context: Any, values: Tensor) -> Tensor:
        return summed(values.clone())

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:
        return gradient * world_size()


def summed_for_loss(values: Tensor) -> Tensor:
    """`values` added up over all processes, each of which then holds the whole loss.

    Gradients are multiplied by the number of processes, over which their mean will be taken.
    """
    return _SummedForLoss.apply(values)  # type: ignore[no-any-return,no-untyped-call]


def gathered(values: Tensor) -> Tensor:
    """The `values` of each process, stacked in the order of their ranks."""
    if world_size() == 1:
        return values[None]
    # all_gather allocates nothing; it writes into tensors that it is given.
    shares = [torch.empty_like(values) for _ in range(world_size())]
    distributed.all_gather(shares, values)
    return torch.stack(shares)


def greatest(value: Tensor) -> Tensor:
    """The greatest `value` of all processes."""
    if world_size() > 1:
        distributed.all_reduce(value, distributed.ReduceOp.MAX)
    return value


def out_of_memory(error: Exception) -> bool:
    """True where memory ran out, which on a CPU is a plain RuntimeError."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "DefaultCPUAllocator" in str(error) or "bad_alloc" in str(error)


NUMBERS = (signal.SIGINT, signal.SIGTERM)
STOPPING = b"\nstopping after this step; Ctrl-C again leaves at once\n"
PR_SET_PDEATHSIG = 1


class Request:
    """A request to stop: the number of the signal that asked for it, or 0."""

    signal = 0


@contextmanager
def stop_requests() -> Iterator[Request]:
    """Collect SIGINT and SIGTERM instead of dying of them; a second Ctrl-C is obeyed at once."""
    request = Request()

    def note(number: int, _frame: FrameType | None) -> None:
        # The second Ctrl-C must get through where a step never looks at the request. One that
        # waits for another process in gloo does not see it: torchrun kills it after a while.
        if request.signal == signal.SIGINT == number:
            raise KeyboardInterrupt
        # A step may take minutes, during which nothing would be seen of it.
        if number == signal.SIGINT and sys.stderr.isatty():
            os.write(sys.stderr.fileno(), STOPPING)
        request.signal = number

    try:
        before = {number: signal.signal(number, note) for number in NUMBERS}
    except ValueError:  # not in the main thread: whoever runs us decides
        yield request
        return
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_signals_to_the_parent() -> None:
    """For a process that loads images: a signal must not end it before the step is saved.

    It ends with its parent, however that dies (Linux); else it would hold the run's lock for
    seconds, and a resume at once would be refused.
    """
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)
    die_with_parent()


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that forked it ends, however that dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def nothing_left_to_stop() -> Iterator[None]:
    """From here to exit, ignore SIGINT and SIGTERM.

    The run is complete, and a late signal must not change the exit code: Python takes about a
    second to leave after torch.
    """
    for number in NUMBERS:
        atexit.register(signal.signal, number, signal.SIG_IGN)
    with stop_requests():
        yield
