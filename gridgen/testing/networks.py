"""What holds of every network: its module is what was counted, and all of it is trained."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gridgen.analysis import count
from gridgen.analysis.sizes import legal_size
from gridgen.arguments import checked
from gridgen.data import IGNORE
from gridgen.emit import GridNetwork
from gridgen.grid import Grid, GridLike, as_grid, removed
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size
from gridgen.memory import Setting, count_memory
from gridgen.spec import NetworkSpec
from gridgen.testing.oracles import (
    kept_by_autograd,
    measured,
    network_on_meta,
    never_dropping,
    share_weights,
    silenced,
)
from gridgen.testing.requiring import require, saying

BATCH = 2
COUNTER, SHARES = 16, 200
"""Bytes that torch keeps beside what is predicted: the number of labelled pixels, and at most for
each map whose fusion is weighted.
"""
DRAWS = 5
"""Draws of weights after which a gradient that was zero in each is taken to be always zero."""
CLOSE = 1e-9
"""Of two networks in double precision that compute the same in another order."""


@checked
def check_grid(grid: GridLike, size: Size | None = None) -> None:
    """Hold the network of a grid or spec against all that the functions below check.

    `size` is that of the image, (height, width); without one, the smallest that tells the sides
    apart. Errors: `AssertionError`.
    """
    grid = as_grid(grid)
    with saying(grid.spec.title):
        check_counts(grid, size)
        check_gradients(grid, size)
        check_saved_bytes(grid, size)
        check_pruning(grid, size)


@checked
def check_counts(grid: GridLike, size: Size | None = None) -> None:
    """Parameters, activations and MACs are those of the module, with an error of zero.

    Nothing is computed. Activations are what forward hooks see, MACs what torch counts; features
    enter at every side that the grid has. Errors: `AssertionError`.
    """
    grid = as_grid(grid)
    size = size or distinct_size(grid.spec)
    network, counted = network_on_meta(grid).eval(), count(grid, size)
    image = torch.empty(1, grid.spec.in_channels, *size, device="meta")
    inputs = (image, _features(grid, size)) if grid.full.sides else (image,)
    activations, macs = measured(network, *inputs)
    for what, said, found in (
        ("parameters", counted.parameters.total, sum(p.numel() for p in network.parameters())),
        ("activations", counted.activations.total, activations),
        ("MACs", counted.macs.total, macs),
    ):
        require(said == found, f"{said:,} {what} are counted; the module has {found:,}")


@checked
def check_gradients(
    grid: GridLike, size: Size | None = None, *, may_be_zero: bool = False, device: str = "cpu"
) -> None:
    """The prediction has the image's size, and a finite gradient reaches every parameter.

    It is not zero in all of a part, unless it `may_be_zero`, as where a rectifier of one channel
    passes nothing. On the device `meta` nothing is computed, and no value is looked at. Errors:
    `AssertionError`.
    """
    grid = never_dropping(as_grid(grid))
    size = size or distinct_size(grid.spec)
    with _own_draws():
        draws = (_parts_without_gradient(grid, size, device) for _ in range(DRAWS))
        zero = next(draws)
        while zero and not may_be_zero and (more := next(draws, None)) is not None:
            zero &= more
    fact = f"the gradient of all parameters of {', '.join(sorted(zero))} is zero"
    require(may_be_zero or not zero, f"{fact}, so nothing trains them")


@checked
def check_saved_bytes(
    grid: GridLike, size: Size | None = None, setting: Setting | None = None
) -> None:
    """The memory predicted to be kept for the backward pass is what autograd keeps.

    In a training step that really runs, on a CPU and in single precision; total dropout drops no
    unit in it. Errors: `AssertionError`.
    """
    grid = never_dropping(as_grid(grid))
    size = size or distinct_size(grid.spec)
    setting = setting or Setting(batch=BATCH, device="cpu")
    network = GridNetwork(grid).train()
    network.recompute = setting.recompute
    held = *network.parameters(), *network.buffers()
    with _own_draws():
        images = torch.rand(setting.batch, grid.spec.in_channels, *size)
        labels = torch.zeros(setting.batch, *size, dtype=torch.int64)
        _, kept = kept_by_autograd(lambda: prediction_and_loss(network, images, labels), held)
    said = count_memory(grid, size, setting).saved
    shares = SHARES * sum(1 for _ in grid.fusion_weights())
    fact = f"{said:,} bytes are predicted to be kept for the backward pass"
    require(0 <= kept - said <= COUNTER + shares, f"{fact}; autograd keeps {kept:,}")


@checked
def check_pruning(grid: GridLike, size: Size | None = None) -> None:
    """A pruned network is the full one in which the dropped connections bring zeros.

    With the same weights, in training and in evaluation. This is so of sums alone: grids that join
    otherwise, or of which nothing was pruned, are left out. Errors: `AssertionError`.
    """
    grid = as_grid(grid)
    lost = [connection.name for connection in removed(grid)]
    sums = all(grid.fusion_of(feature_map).join == "sum" for feature_map in grid.maps)
    if not lost or not sums:
        return
    size = size or distinct_size(grid.spec)
    with _own_draws():
        whole = silenced(never_dropping(grid.full), lost).double()
        part = GridNetwork(never_dropping(grid)).double()
        share_weights(whole, part)
        images = torch.rand(BATCH, grid.spec.in_channels, *size, dtype=torch.float64)
        for mode in (True, False):
            with torch.no_grad():
                expected, found = whole.train(mode)(images), part.train(mode)(images)
            apart = float((found - expected).abs().max() / expected.abs().max().clamp(min=1))
            fact = "the pruned network is not the full one with its dropped connections silent"
            require(apart <= CLOSE, f"{fact}: their predictions differ by {apart:.1e}")


def distinct_size(spec: NetworkSpec) -> Size:
    """A small legal size whose sides differ, since a square would hide layers that swap them."""
    return tuple(spec.least + more * spec.multiple for more in (1, 2, 0)[: spec.dimensions])


def prediction_and_loss(
    network: nn.Module, images: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """A training step up to its loss, cross-entropy averaged over the labelled pixels."""
    prediction: Tensor = network(images)
    total = cross_entropy(prediction.float(), labels, ignore_index=IGNORE, reduction="sum")
    return prediction, total / (labels != IGNORE).sum().clamp(min=1)


def _features(grid: Grid, size: Size) -> list[Tensor | None]:
    """Features for every side that the topology has kept, for the size worked on."""
    legal, stride = legal_size(grid.spec, size), grid.spec.stride
    return [
        torch.empty(
            *(1, side.channels),
            *(each // stride >> side.target.stream for each in legal),
            device="meta",
        )
        if side in grid.sides
        else None
        for side in grid.full.sides
    ]


def _parts_without_gradient(grid: Grid, size: Size, device: str) -> set[str]:
    """The parts whose gradients are all zero for some weights; makes the other checks meanwhile."""
    with torch.device(device):
        network = GridNetwork(grid).train()
        images = torch.rand(BATCH, grid.spec.in_channels, *size)
    prediction = network(images)
    shape, wanted = prediction.shape, (BATCH, grid.spec.classes, *size)
    fact = f"the prediction for images of {shape_text(size)} is {shape_text(shape)}"
    require(shape == wanted, f"{fact}, not {shape_text(wanted)}")
    (prediction * torch.randn_like(prediction)).sum().backward()
    trained: dict[str, bool] = {}
    for name, parameter in network.named_parameters():
        first, second, *_ = name.split(".")
        # No features enter here, so that no gradient reaches the layers that take them in.
        if first == "sides":
            continue
        gradient = parameter.grad
        require(gradient is not None, f"no gradient reaches {name}")
        if device != "meta" and gradient is not None:
            require(gradient.isfinite().all(), f"the gradient of {name} is not finite")
            part = first if first in ("stem", "head") else f"{first}.{second}"
            trained[part] = trained.get(part, False) or bool(gradient.any())
    return {part for part, some in trained.items() if not some}


@contextmanager
def _own_draws() -> Iterator[None]:
    """Random numbers that are the same each time, and leave the caller's as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield
