"""Programs for any batch and size: symbols for an export, and what is compared afterwards.

An export is made with one batch; what it computes of batches of other sizes is compared with torch
before anything is written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from gridgen.analysis.sizes import SIDES
from gridgen.emit import GridNetwork
from gridgen.emit.pieces import Unpool
from gridgen.errors import ExportError
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size
from gridgen.spec import NetworkSpec

INPUT = "images"
CLOSE = 1e-5
"""The greatest difference that is accepted, in units of the greatest value."""
MOST_SIDE = 65_536
BATCHES = (1, 3, 2)
"""Of the batches that are compared; the example has two images, of another size."""


@dataclass(frozen=True)
class Compared:
    """A batch that was given to both programs, and how far the answers are apart: all values, or
    half of them, `by_median`.
    """

    shape: tuple[int, ...]
    difference: float
    by_median: bool = False

    def __str__(self) -> str:
        return f"{self.difference:.0e} at {shape_text(self.shape)}"


def symbols(spec: NetworkSpec) -> dict[int, Any]:
    """The dimensions of the images that are symbols: the batch, and each side."""
    symbols = {0: torch.export.Dim("batch", min=1, max=MOST_SIDE)}
    for dim, name in enumerate(SIDES[spec.dimensions].split(", "), 2):
        if spec.size == "error":
            step = spec.multiple
            least = -(-spec.least // step)
            side = torch.export.Dim(f"_{name}", min=least, max=MOST_SIDE // step)
            symbols[dim] = step * side if step > 1 else side
        else:
            symbols[dim] = torch.export.Dim(name, min=spec.least, max=MOST_SIDE)
    return symbols


def _example_size(spec: NetworkSpec) -> Size:
    """The sides of the images that are exported with: legal, not square, no smallest size."""
    least = max(spec.least, spec.multiple)
    return tuple(least + (2 + number) * spec.multiple for number in range(spec.dimensions))


def _others(spec: NetworkSpec, above_least: bool) -> list[Size]:
    """Sides that the export never saw; odd ones where the policy takes them."""
    least, step = max(spec.least, spec.multiple), spec.multiple
    odd = 0 if spec.size == "error" or step == 1 else 1
    return [
        tuple(
            least + (first + number) * step + odd * (3 + number)
            for number in range(spec.dimensions)
        )
        for first in (1, 4, 5 if above_least else 0)
    ]


def example(network: GridNetwork) -> torch.Tensor:
    """The images that are exported with."""
    return _images(network, 2, _example_size(network.grid.spec))


def _images(network: GridNetwork, batch: int, size: Size) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(batch, network.grid.spec.in_channels, *size, generator=generator)


def compared_with(
    network: GridNetwork,
    run: Callable[[torch.Tensor], torch.Tensor],
    form: str,
    above_least: bool = False,
) -> list[Compared]:
    """Both answers for batches and sizes that the export never saw, the smallest legal one among
    them unless `above_least`. Errors: `ExportError`.
    """
    found = []
    for batch, size in zip(BATCHES, _others(network.grid.spec, above_least), strict=True):
        compared = _compared(network, run, form, _images(network, batch, size))
        if not compared.difference <= CLOSE:
            given = f"images of {shape_text(compared.shape)}"
            fact = f"{form} differs by {compared.difference:.1e} of the largest value, for {given}"
            raise ExportError(f"{fact}; nothing is written; use the source, or --no-verify")
        found.append(compared)
    return found


def _compared(
    network: GridNetwork,
    run: Callable[[torch.Tensor], torch.Tensor],
    form: str,
    images: torch.Tensor,
) -> Compared:
    with torch.no_grad():
        ours = network(images)
        theirs = run(images)
    shape = tuple(images.shape)
    if theirs.shape != ours.shape:
        fact = f"{shape_text(theirs.shape)} instead of {shape_text(ours.shape)}"
        raise ExportError(f"{form} gives {fact} for images of {shape_text(shape)}; use the source")
    apart = (theirs - ours).abs()
    # Which of two nearly equal values is the greatest, and so where an unpooling puts it, rounding
    # decides: in a part of the images the answers are then others, which can be told neither from
    # what is wrong there nor by more digits. So half of the values have to agree.
    unpools = any(isinstance(module, Unpool) for module in network.modules())
    difference = float(
        (apart.median() if unpools else apart.max()) / ours.abs().max().clamp(min=1e-30)
    )
    return Compared(shape, difference, unpools)
