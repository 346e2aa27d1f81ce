"""What is observed of a network. Reaches the product by names that old and new code may bear.

`observe(case, told)` gives plain values, ready for JSON; `told` says what stands for a tensor:
a few numbers (`numbers`), or its bits (`bits`). A rename in the product touches this file alone.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gridgen import GridNetwork, GridSpec, build_grid, count, load_spec, receptive_field
from tests.unchanged.networks import Case

SETTINGS: dict[str, dict[str, Any]] = {
    "fp32, adam": {"batch": 2},
    "bf16, adamw, recompute unit": {
        "batch": 2,
        "precision": "bf16",
        "optimizer": "adamw",
        "recompute": "unit",
        "fused": False,
        "averaged": True,
    },
    "sgd, recompute column, cpu": {"optimizer": "sgd", "recompute": "column", "device": "cpu"},
}
"""Under what memory is counted."""
TRAININGS = ("plain", "unit", "column", "mask")
"""Ways of training: what is computed again, or total dropout by a mask."""
SAMPLES = 8
LEAST = 8, 12
"""Height and width of an image, at least."""
CAMVID = Path(__file__).parents[2] / "weights" / "camvid-small.safetensors"

Told = Callable[[Tensor], Any]
Size = tuple[int, int]


def named(*places: str) -> Any:
    """The first that there is of `module:name`."""
    for place in places:
        module, name = place.split(":")
        try:
            return getattr(import_module(module), name)
        except (ImportError, AttributeError):
            continue
    raise ImportError(f"none of {', '.join(places)}")


count_memory = named("gridgen.memory:count_memory", "gridgen.analysis.memory:memory")
Setting = named("gridgen.memory:Setting", "gridgen.analysis.memory:Setting")
breakdown = named("gridgen.analysis.breakdown:breakdown")
receptive_fields = named("gridgen.analysis.receptive:receptive_fields")
legal_size = named("gridgen.analysis.sizes:larger_size")
lint_case = named("gridgen.analysis.lints:lint_case", "gridgen.analysis.lints:lint")
LintCase = named("gridgen.analysis.lints:Case")
open_model = named("gridgen:open_model")
infer = named("gridgen:infer")


def grid_of(case: Case) -> Any:
    """The grid that a case describes."""
    if case.published is not None:
        return build_grid(load_spec(case.published, **case.fields))
    return build_grid(GridSpec(**case.fields))


def observe(case: Case, told: Told) -> dict[str, Any]:
    """Everything that must not move of one network."""
    grid = grid_of(case)
    size = size_of(case, grid.spec)
    return {**arithmetic(grid, size), **computed(grid, size, told)}


def size_of(case: Case, spec: Any) -> Size:
    """A legal size (height, width), small and not square."""
    least = LEAST if case.published is None else (1, 33)
    height, width = legal_size(spec, least)
    return height, width


def arithmetic(grid: Any, size: Size) -> dict[str, Any]:
    """What is known without a module."""
    return {
        "count": count(grid, size).as_json(),
        "pieces": {piece.name: piece_row(piece) for piece in breakdown(grid, size)},
        "memory": {
            name: count_memory(grid, size, Setting(**fields)).as_json()
            for name, fields in SETTINGS.items()
        },
        "receptive field": receptive_field(grid),
        "receptive fields": {at.name: side for at, side in receptive_fields(grid).items()},
        "lints": [[found.lint, *found.fix.flags] for found in lint_case(LintCase(grid, size))],
    }


def piece_row(piece: Any) -> list[Any]:
    """Part, stream, shapes and costs of one piece."""
    shapes = [list(piece.input), list(piece.output)]
    return [piece.part, piece.stream, *shapes, piece.parameters, piece.activations, piece.macs]


def computed(grid: Any, size: Size, told: Told) -> dict[str, Any]:
    """What the module computes with seeded weights."""
    network = GridNetwork(grid).double()
    found: dict[str, Any] = {
        "state": {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    }
    fill(network.state_dict())
    network.eval()
    with torch.no_grad():
        found["evaluation"] = told(network(image(grid, size)))
        if grid.spec.size != "error":
            odd = size[0] + 3, size[1] + 5
            found["odd size"] = told(network(image(grid, odd)))
        if given := sides(grid, size):
            found["evaluation, sides"] = told(network(image(grid, size), given))
    for way in TRAININGS if isinstance(grid.spec, GridSpec) else ("plain", "column"):
        fill(dict(network.named_buffers()))
        found[f"training, {way}"] = trained(network, grid, size, told, way)
    return found


def trained(network: Any, grid: Any, size: Size, told: Told, way: str) -> dict[str, Any]:
    """One pass forward and backward: output, statistics after it, gradients of each room."""
    network.train()
    network.recompute = way if way in ("unit", "column") else "none"
    network.fixed_graph = way == "mask"
    network.zero_grad(set_to_none=True)
    torch.manual_seed(7)
    given = sides(grid, size)
    output = network(image(grid, size), given) if given else network(image(grid, size))
    (output * seeded("loss", output.shape)).sum().backward()
    parameters = network.named_parameters()
    gradients = {name: x.grad for name, x in parameters if x.grad is not None}
    found = {"output": told(output.detach()), "with gradients": len(gradients)}
    if way != "plain":
        return {**found, "gradients": told(joined(gradients))}
    buffers = dict(network.named_buffers())
    if buffers:
        found["statistics"] = told(joined(buffers))
    return {**found, **{room: told(joined(inside)) for room, inside in by_room(gradients)}}


def by_room(tensors: dict[str, Tensor]) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """The tensors of stem, units, shortcuts and so on."""
    for room in sorted({name.split(".")[0] for name in tensors}):
        yield room, {name: x for name, x in tensors.items() if name.split(".")[0] == room}


def joined(tensors: dict[str, Tensor]) -> Tensor:
    """All values in the order of their names."""
    return torch.cat([tensors[name].double().flatten() for name in sorted(tensors)])


def image(grid: Any, size: Size) -> Tensor:
    """Two images with values in [0, 1]."""
    return (seeded("image", (2, grid.spec.in_channels, *size)) + 1) / 2


def sides(grid: Any, size: Size) -> list[Tensor | None]:
    """Features beside the image, where the topology has a place for them."""
    places = {side.target.stream for side in grid.sides}
    return [
        seeded(f"side {stream}", (2, channels, size[0] >> stream, size[1] >> stream))
        if stream in places
        else None
        for stream, channels in enumerate(getattr(grid.spec, "side_channels", None) or (), 1)
    ]


def fill(tensors: dict[str, Tensor]) -> None:
    """Parameters and buffers from their names and shapes, as after a training."""
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(value_of(name, tensor))


def value_of(name: str, tensor: Tensor) -> Tensor:
    kind = name.split(".")[-1]
    if kind == "num_batches_tracked":
        return torch.tensor(3)
    values = seeded(name, tensor.shape)
    if kind == "running_var":
        return 1.25 + 0.75 * values
    if tensor.dim() > 1:  # half of it is a ReLU's, hence the 6
        return values * (6 / (tensor.numel() / tensor.shape[0])) ** 0.5
    if kind == "weight" or name.startswith("weights."):
        return 0.9 + 0.4 * values
    return 0.3 * values


def seeded(name: str, shape: Sequence[int]) -> Tensor:
    """Values in [-1, 1) that depend on name and shape alone, on every machine the same."""
    seed = hashlib.sha256(f"{name} {tuple(shape)}".encode()).digest()[:8]
    values = np.random.default_rng(int.from_bytes(seed, "big")).random(tuple(shape))
    return torch.from_numpy(2 * values - 1)


def numbers(tensor: Tensor) -> list[Any]:
    """A tensor's shape; its sum, absolute sum and largest value; values spread over all of it."""
    flat = tensor.double().flatten()
    at = np.linspace(0, len(flat) - 1, SAMPLES).astype(int).tolist()
    sums = [flat.sum().item(), flat.abs().sum().item(), flat.abs().max().item()]
    return [list(tensor.shape), sums, flat[at].tolist()]


def bits(tensor: Tensor) -> str:
    """A tensor's shape and SHA-256."""
    raw = tensor.contiguous().numpy().tobytes()
    return f"{tuple(tensor.shape)} {hashlib.sha256(raw).hexdigest()}"


def observe_weights(told: Told) -> dict[str, Any]:
    """What the weights of CamVid say, and what they predict for a seeded image."""
    model = open_model(CAMVID)
    torch.set_grad_enabled(False)
    try:
        state = model.network.state_dict()
        given = (seeded("image", (1, model.spec.in_channels, 90, 118)).float() + 1) / 2
        return {
            "spec": model.spec.complete(),
            "data": model.data,
            "classes": list(model.task.classes),
            "inference": model.inference.complete(),
            "state": {name: list(tensor.shape) for name, tensor in state.items()},
            "values": told(joined(state)),
            "fp32": told(infer(model.network, given)),
            "fp64": told(model.network.double()(given.double())),
        }
    finally:
        torch.set_grad_enabled(True)
