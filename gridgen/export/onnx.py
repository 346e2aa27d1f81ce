"""A network as an ONNX file: any batch, height and width, the size policy inside.

torch exports the module with symbols for the batch and the sides (`torch.onnx`, dynamo), so nothing
of an example's size is in the file. Batches of sizes that the export never saw are run by
onnxruntime and compared with torch before anything is written.
"""

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch

from gridgen.analysis.sizes import SIDES
from gridgen.emit import GridNetwork
from gridgen.errors import ExportError, UsageError
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size
from gridgen.spec import NetworkSpec

OPSET = 20
CLOSE = 1e-5
"""The greatest difference that is accepted, in units of the greatest value."""
INPUT, OUTPUT = "images", "prediction"
MOST_SIDE = 65_536
BATCHES = (1, 3, 2)
"""Of the batches that are compared; the example has two images, of another size."""


@dataclass(frozen=True)
class Compared:
    """A batch that was given to both programs, and how far the answers are apart."""

    shape: tuple[int, ...]
    difference: float

    def __str__(self) -> str:
        return f"{self.difference:.0e} at {shape_text(self.shape)}"


def onnx_of(
    network: GridNetwork, about: Mapping[str, Any], verify: bool = True
) -> tuple[bytes, list[Compared]]:
    """The bytes of an ONNX file, and what was compared, nothing without `verify`.

    Its input `images` (N, in_channels, H, W) and output `prediction` (N, classes, H, W) have any
    batch and, under the size policies, any sides from the smallest legal one on; under `error`
    multiples. `about` is written into its metadata as JSON, beside the spec. Errors: `UsageError`
    where packages are missing; `ExportError` for a network that ONNX cannot hold, or that gives
    other numbers there.
    """
    onnx, runtime = _packages(verify)
    if network.grid.sides:
        raise ExportError("ONNX: features that enter beside the image are not exported; use source")
    network = network.eval()
    with _quiet():
        try:
            program = torch.onnx.export(
                network,
                (_images(network, 2, _example(network.grid.spec)),),
                dynamo=True,
                dynamic_shapes={INPUT: _symbols(network.grid.spec)},
                input_names=[INPUT],
                output_names=[OUTPUT],
                opset_version=OPSET,
                verbose=False,
            )
        except (torch.onnx.errors.OnnxExporterError, RuntimeError, ValueError) as error:
            reason = str(error.__cause__ or error).strip().splitlines()
            fact = f"ONNX cannot hold {network.grid.spec.title}: {reason[0] if reason else error}"
            raise ExportError(f"{fact}; use the source") from error
    assert program is not None
    model = program.model_proto
    _without_paths(model.graph)
    told = {**about, "spec": network.grid.spec.complete(), "sizes": _sizes(network.grid.spec)}
    onnx.helper.set_model_props(model, {name: json.dumps(value) for name, value in told.items()})
    raw: bytes = model.SerializeToString(deterministic=True)
    return raw, compared_with(network, runtime.InferenceSession(raw)) if verify else []


def _packages(verify: bool) -> tuple[Any, Any]:
    """The packages onnx and, to compare, onnxruntime. Errors: `UsageError`."""
    runtime = None
    try:
        import onnx
        import onnxscript  # noqa: F401 - what torch exports with

        if verify:
            runtime = import_module("onnxruntime")
    except ImportError as error:
        fact = f"--to onnx needs the package {error.name}"
        raise UsageError(f"{fact}; pip install 'gridgen[onnx]'") from error
    return onnx, runtime


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the lines of torch and of its exporter that no user can do anything about."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir", "onnxscript")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _symbols(spec: NetworkSpec) -> dict[int, Any]:
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


def _example(spec: NetworkSpec) -> Size:
    """The sides of the images that are exported with: legal, not square, no smallest size."""
    least = max(spec.least, spec.multiple)
    return tuple(least + (2 + number) * spec.multiple for number in range(spec.dimensions))


def _others(spec: NetworkSpec) -> list[Size]:
    """Sides that the export never saw; odd ones where the policy takes them."""
    least, step = max(spec.least, spec.multiple), spec.multiple
    odd = 0 if spec.size == "error" or step == 1 else 1
    return [
        tuple(
            least + (first + number) * step + odd * (3 + number)
            for number in range(spec.dimensions)
        )
        for first in (1, 4, 0)
    ]


def _images(network: GridNetwork, batch: int, size: Size) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(batch, network.grid.spec.in_channels, *size, generator=generator)


def compared_with(network: GridNetwork, session: Any) -> list[Compared]:
    """Both answers for batches and sizes that the export never saw. Errors: `ExportError`."""
    found = []
    for batch, size in zip(BATCHES, _others(network.grid.spec), strict=True):
        images = _images(network, batch, size)
        with torch.no_grad():
            ours = network(images)
        theirs = torch.from_numpy(session.run(None, {INPUT: images.numpy()})[0])
        shape = tuple(images.shape)
        given = f"images of {shape_text(shape)}"
        if theirs.shape != ours.shape:
            fact = f"{shape_text(theirs.shape)} instead of {shape_text(ours.shape)}"
            raise ExportError(f"ONNX gives {fact} for {given}; use the source")
        difference = float((theirs - ours).abs().max() / ours.abs().max().clamp(min=1e-30))
        if not difference <= CLOSE:
            fact = f"ONNX differs by {difference:.1e} of the largest value, for {given}"
            raise ExportError(f"{fact}; nothing is written; use the source, or --no-verify")
        found.append(Compared(shape, difference))
    return found


def _without_paths(graph: Any) -> None:
    """Nodes without the lines of code that they come from, which name folders of this machine."""
    for each in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        each.doc_string = ""
        del each.metadata_props[:]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _without_paths(attribute.g)


def _sizes(spec: NetworkSpec) -> dict[str, Any]:
    """Which sides the file takes, for whoever loads it."""
    return {"policy": spec.size, "multiple": spec.multiple, "least": spec.least}
