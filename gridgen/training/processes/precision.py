"""The precision of a forward pass, and which of them a device has instructions for."""

from contextlib import AbstractContextManager
from typing import Any

import torch

BF16 = ("avx512_bf16", "amx_bf16")
"""Instructions of x86 processors, either of which is enough."""


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """The context in which the forward pass runs."""
    # bf16 has the range of fp32, so that no loss needs scaling, as with fp16.
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def slow_precision(device: torch.device, precision: str) -> str:
    """What to say where a precision is computed by other instructions; "" where nothing is."""
    if precision != "bf16" or device.type != "cpu" or _multiplies_bf16():
        return ""
    fact = "this processor has no instructions for bf16, which takes several times as long as fp32"
    return f"{fact}; --set recipe.precision=fp32"


def faster_precision(device: torch.device, precision: str) -> str:
    """What to say where another precision of inference is faster; "" where none is known to be."""
    if precision != "fp32" or not computes_bf16(device):
        return ""
    return f"--precision auto: bf16 on this {device.type}, with slightly other scores"


def computes_bf16(device: torch.device) -> bool:
    """Whether a device is known to have instructions for bf16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and _multiplies_bf16(unknown=False)


def _multiplies_bf16(unknown: bool = True) -> bool:
    """Whether this processor has such instructions; `unknown` where torch does not say."""
    # Torch knows it since 2.12, and of other processors it says neither.
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(known.get(name, unknown) for name in BF16)
