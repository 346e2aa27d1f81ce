"""Weights files: safetensors with the whole spec inside and a digest. Never pickle."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, bfloat16, float16, float32, float64, int64, uint8

from gridgen.architectures.load import require_rebuildable, spec_of
from gridgen.arguments import PathLike, checked
from gridgen.emit.network import GridNetwork
from gridgen.errors import FileError, GridgenError, UsageError, WeightsError, reason_of
from gridgen.files import ends_in, other_kind, require_file, write_file
from gridgen.grid import Grid, build_grid
from gridgen.memory.host import host_memory

NOTE = "gridgen"
SUFFIX = ".safetensors"
StoredPrecision = Literal["fp32", "bf16"]


@checked
def save_network(
    network: GridNetwork,
    path: PathLike,
    precision: StoredPrecision = "fp32",
    about: Mapping[str, Any] = MappingProxyType({}),
) -> Path:
    """Write the weights, the spec and a SHA-256 of the weights to one file.

    `bf16` halves the file: kernels are rounded to it, biases and BN stay as they are. What is
    float16 or float64 is written as fp32. `about` is what else a reader should know, values of
    JSON: `classes`, `colours`, `note`. Errors: `GridError` for a grid that its spec does not build;
    `UsageError` for what `about` cannot hold; `WeightsError` for values that are no finite numbers;
    `FileError`.
    """
    if not ends_in(path, SUFFIX):
        raise FileError(f"{path}: weights are written as safetensors; end the name in {SUFFIX}")
    require_rebuildable(network.grid)
    told = {name: _json_of(name, value) for name, value in about.items()}
    told["spec"] = json.dumps(network.grid.spec.complete())
    tensors = {name: _stored(tensor) for name, tensor in network.state_dict().items()}
    if precision == "bf16":
        tensors = {name: _rounded(tensor) for name, tensor in tensors.items()}
    _require_numbers(path, tensors)
    return save_tensors(tensors, path, told)


def _json_of(name: str, value: Any) -> str:
    """A value of `about` as JSON. Errors: `UsageError`."""
    if name in ("sha256", "spec"):
        raise UsageError(f"about: {name} is written by gridgen itself; give it another name")
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        fact = f"about: {name} is no value of JSON ({error})"
        raise UsageError(f"{fact}; give text, numbers, lists or dictionaries") from error


def _stored(tensor: Tensor) -> Tensor:
    """A tensor in a type that files hold."""
    return tensor.float() if tensor.dtype in (float16, float64) else tensor


def _rounded(tensor: Tensor) -> Tensor:
    """A kernel in bf16; what has one dimension is small, and BN's variances need their digits."""
    return tensor.bfloat16() if tensor.is_floating_point() and tensor.dim() > 1 else tensor


@checked
def load_network(path: PathLike) -> GridNetwork:
    """The network that `save_network` wrote, in evaluation mode, on the CPU, in fp32.

    Errors: `WeightsError` for a file that is missing, damaged, or not ours.
    """
    return read_network(path)[0]


def read_network(path: PathLike) -> tuple[GridNetwork, dict[str, str]]:
    """The network and what the file says `about` it, each value as JSON.

    Errors: `WeightsError`.
    """
    tensors, metadata = load_tensors(path)
    _require_numbers(path, tensors)
    if "spec" not in metadata:
        raise WeightsError(f"{path}: no spec inside; write it with gridgen build or train")
    try:
        grid = build_grid(spec_of(json.loads(metadata.pop("spec"))))
        _require_tensors(grid, tensors)
        network = GridNetwork(grid)
        network.load_state_dict(tensors)
    except (GridgenError, ValueError, RuntimeError, TypeError) as error:
        raise WeightsError(f"{path}: weights and spec do not agree: {error}") from error
    return network.eval(), metadata


def _require_tensors(grid: Grid, tensors: Mapping[str, Tensor]) -> None:
    """The tensors are those of the grid's network, by name and shape. Errors: `ValueError`."""
    wanted = dict((*grid.tensors(), *grid.buffers()))
    for name in sorted(wanted.keys() | tensors.keys()):
        if name not in tensors:
            raise ValueError(f"{name} is missing")
        if name not in wanted:
            raise ValueError(f"the network has no {name}")
        if (shape := tuple(tensors[name].shape)) != wanted[name]:
            raise ValueError(f"{name} is of shape {shape}, the network's of {wanted[name]}")


def _require_numbers(path: PathLike, tensors: Mapping[str, Tensor]) -> None:
    """Weights are finite numbers of a type that `save_network` writes. Errors: `WeightsError`."""
    for name, tensor in tensors.items():
        if tensor.dtype not in (float32, bfloat16, int64):
            kind = str(tensor.dtype).removeprefix("torch.")
            raise WeightsError(f"{path}: {name} is {kind}; weights are float32 or bfloat16")
        if not tensor.isfinite().all():
            raise WeightsError(f"{path}: {name} has values that are no finite numbers; train anew")


def save_tensors(
    tensors: Mapping[str, Tensor], path: PathLike, metadata: Mapping[str, str]
) -> Path:
    """Write named tensors, any memory format, with a digest among the metadata."""
    # safetensors refuses channels_last tensors, whose strides are not those of their shape.
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    noted = json.dumps({**metadata, "sha256": digest(plain, metadata)}, sort_keys=True)
    # One key: safetensors writes several in an order that changes from process to process.
    return write_file(path, save(plain, {NOTE: noted}))


def load_tensors(path: PathLike) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Named tensors and metadata of a file whose digest is right. Errors: `WeightsError`."""
    if kind := other_kind(path, SUFFIX):
        raise WeightsError(f"{path}: {kind}; name a run's folder or a weights file")
    require_weights_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            note = (file.metadata() or {}).get(NOTE)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = json.loads(note or "null")
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: not a safetensors file, or damaged: {error}") from error
    if not isinstance(metadata, dict):
        raise WeightsError(f"{path}: not written by gridgen; build or train one")
    written = metadata.pop("sha256", None)
    if written != digest(tensors, metadata):
        raise WeightsError(f"{path}: damaged: its SHA-256 does not match its content")
    return tensors, metadata


def require_weights_file(path: PathLike) -> None:
    """The file is there, and no longer than memory. Errors: `WeightsError`."""
    try:
        require_file(path, host_memory())
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: {reason_of(error)}") from error


def digest(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """SHA-256 over metadata, names, types, shapes and bytes, in the order of the names."""
    total = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.reshape(-1).view(dtype=uint8).numpy().tobytes())
    return total.hexdigest()
