"""Lints on single layers: uneven transposed convolutions, normalization of few values."""

from collections.abc import Iterator
from itertools import product
from math import prod, sqrt
from typing import NamedTuple

from gridgen.analysis.lints.case import Case, Finding, Fix
from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.grid.layers import (
    BatchNorm,
    Deconv,
    Layer,
    Layers,
    Residual,
    Shape,
    cost,
    kernel_text,
    shape_text,
)
from gridgen.grid.tracing import Size, trace
from gridgen.spec import GridSpec, NetworkSpec

FEWEST = 16
"""Values per channel below which a lint speaks. The variance of n independent values of a normal
distribution errs by sqrt(2 / n) of itself, 35 % at 16; values of a map that are neighbours tell
less. It is also the batch with which networks that normalize one value an image were trained
(PSPNet's bin of 1).
"""


def checkerboard(case: Case) -> Iterator[Finding]:
    """A transposed convolution whose kernel is not divisible by its stride.

    Of the outputs some are then reached by more weights than their neighbours, in a pattern that
    training has to undo (Odena, Dumoulin, Olah: Deconvolution and checkerboard artifacts, Distill
    2016). A kernel that the stride divides is even, but each place still has weights of its own;
    the fix is theirs, interpolation and convolution.
    """
    for place, layer, _ in placed_layers(case.grid, case.image):
        if isinstance(layer, Deconv) and layer.kernel % layer.stride:
            yield Finding("checkerboard", (place,), _overlap(layer), _interpolate(case.grid.spec))


def _overlap(layer: Deconv) -> str:
    kernel, stride = layer.kernel, layer.stride
    fewest, most = kernel // stride, -(-kernel // stride)
    # Each side of the map has places that fewest and places that most weights reach.
    ways = product((fewest, most), repeat=layer.dimensions)
    *some, last = sorted({prod(way) for way in ways})
    reached = f"reaches outputs with {', '.join(map(str, some))} or {last} weights"
    kind = f"{kernel_text(kernel, layer.dimensions)} transposed convolution of stride {stride}"
    return f"a {kind} {reached}"


def _interpolate(spec: NetworkSpec) -> Fix:
    if isinstance(spec, GridSpec):
        head = {"head": "bilinear"} if spec.stride > 1 and spec.head == "deconv" else {}
        return Fix("interpolate, then convolve", {"units.upsampling": "bilinear", **head})
    return Fix(f"interpolate, then convolve; no setting of {spec.title} does it")


def few_values(case: Case) -> Iterator[Finding]:
    """A BN that sees fewer than 16 values of each channel in a training step.

    What it scales by then jumps from step to step, and is not what evaluation uses; of a single
    value torch refuses to take a variance.
    """
    smallest = fewest_values(case, FEWEST)
    if not smallest:
        return
    batch = max(-(-FEWEST // prod(size)) for size in smallest.values())
    words = f"train in batches of {batch}"
    if isinstance(case.grid.spec, GridSpec):
        words += ", on larger images, or with fewer streams"
    for place, size in smallest.items():
        yield Finding("few-values", (place,), _few(case.batch, size), Fix(words, batch=batch))


def fewest_values(case: Case, below: int) -> dict[str, Size]:
    """The places where a BN sees fewer values of each channel, with the smallest map size that one
    sees there.
    """
    smallest: dict[str, Size] = {}
    for place, layer, (_, *size) in placed_layers(case.grid, case.image):
        if isinstance(layer, BatchNorm) and case.batch * prod(size) < below:
            smallest[place] = min(smallest.get(place, (*size,)), (*size,), key=prod)
    return smallest


def _few(batch: int, size: Size) -> str:
    values = batch * prod(size)
    where = f"at batch {batch} and {shape_text(size)}"
    if values == 1:
        return f"BN sees 1 value per channel in training {where}, which torch refuses"
    seen = f"BN sees {values} values per channel in training {where}"
    return f"{seen}; their variance errs by {sqrt(2 / values):.0%}"


class Placed(NamedTuple):
    """A layer with its place and input shape; a residual block is taken apart."""

    place: str
    layer: Layer
    shape: Shape


def placed_layers(grid: Grid, size: Size) -> Iterator[Placed]:
    """All layers of a grid for one image of `size`."""
    traced = trace(grid, size)
    shapes = traced.shapes
    image = grid.spec.in_channels, *size
    yield from _walk("stem", grid.stem, image)
    for target in grid.maps:
        for arrival in grid.into(target):
            source, seen = shapes[arrival.source], _seen(arrival, shapes)
            yield from _walk(arrival.name, arrival.unit, source, seen)
            yield from _walk(arrival.name, arrival.shortcut or (), source)
        yield from _walk(target.name, grid.fusion_layers(target), traced.joined[target])
    for side in grid.sides:
        given = side.channels, *shapes[side.target][1:]
        yield from _walk(f"sides.{side.target.name}", side.layers, given)
    yield from _walk("head", grid.head, shapes[grid.output])


def _walk(place: str, layers: Layers, shape: Shape, seen: Shape | None = None) -> Iterator[Placed]:
    for layer in layers:
        if isinstance(layer, Residual):
            yield from _walk(place, layer.layers, shape)
            yield from _walk(place, layer.shortcut, shape)
        else:
            yield Placed(place, layer, shape)
        shape = cost((layer,), shape, seen).shape


def _seen(arrival: Connection, shapes: dict[FeatureMap, Shape]) -> Shape | None:
    """The shape of a connection's auxiliary input, if it has one."""
    return shapes[arrival.auxiliary] if arrival.auxiliary else None
