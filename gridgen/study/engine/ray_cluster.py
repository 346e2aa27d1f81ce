"""A Ray cluster: which, what each training takes of it, and connecting with it."""

import logging
import os
import socket
from dataclasses import dataclass
from math import inf
from typing import Any

from gridgen.arguments import checked_fields
from gridgen.errors import UsageError, reason_of

LEAST = 0.0001
"""Of a resource, as Ray counts them."""
ANSWER_SECONDS = 5.0
"""How long a machine of a cluster may take to answer what is answered at once."""


@checked_fields
@dataclass(frozen=True)
class RayCluster:
    """A running Ray cluster, and what of it each training takes: CPUs, which are its threads, and
    GPUs, a part of one too. `gpus` None is one where the cluster has any and the device is not cpu.

    `address` is HOST:PORT of its head, or `auto` for that to which this machine belongs.
    """

    address: str = "auto"
    cpus: float = 1.0
    gpus: float | None = None

    def __post_init__(self) -> None:
        if not LEAST <= self.cpus < inf:
            raise UsageError(f"cpus is {self.cpus:g}; give a number above 0")
        gpus = self.gpus
        if gpus and not (LEAST <= gpus <= 1 or (1 < gpus < inf and gpus == int(gpus))):
            raise UsageError(f"gpus is {gpus:g}; give 0, a part of one, or a whole number")
        if "://" in self.address:
            fact = f"address is {self.address}, of a Ray client"
            raise UsageError(f"{fact}; search on a machine of the cluster, with HOST:PORT or auto")


def connected(address: str) -> tuple[Any, bool]:
    """The library, connected with a cluster, and whether it was not so before.

    Errors: `UsageError` where it is not installed, or no cluster answers.
    """
    # What is asked for at import. Without a token whoever reaches the cluster runs what he likes.
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    try:
        import ray
        from ray._private import worker
    except ImportError as error:
        raise UsageError("--engine ray needs Ray; pip install 'gridgen[ray]'") from error
    if ray.is_initialized():
        return ray, False
    # Ray prints what its machines say on stdout, into progress and JSON.
    worker.print_to_stdstream = lambda *_, **__: None
    there = ""
    try:
        there = _answers(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ray.exceptions.RayError, RuntimeError, ValueError, OSError) as error:
        first = str(error).strip().splitlines()[0].partition(". ")[0]
        reason = reason_of(error) if isinstance(error, OSError) and error.errno else first
        fact = f"no Ray cluster {there or 'at'} {address}: {reason}"
        fix = "ray start --head begins one; its token (ray get-auth-token) must be on each machine"
        raise UsageError(f"{fact}; {fix}") from error
    return ray, True


def fitting(there: float, many: float, whole: bool) -> int:
    """How often so much of a resource can be had; `whole`: a part is a part of one, as of a GPU.

    >>> fitting(8, 2.5, whole=False), fitting(2, 0.6, whole=True), fitting(2, 0.5, whole=True)
    (3, 2, 4)
    """
    if whole and many < 1:
        return int(there) * int(1 / many)
    return int(there / many)


def _answers(address: str) -> str:
    """That something answers there, in words; "" where that cannot be asked. What does not, Ray
    would try for half a minute. Errors: `OSError`.
    """
    host, _, port = address.rpartition(":")
    if port.isdecimal():
        socket.create_connection((host, int(port)), ANSWER_SECONDS).close()
        return "with this token is what answers at"
    return ""
