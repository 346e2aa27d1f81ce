"""A network as an ONNX file: any batch, height and width, the size policy inside.

torch exports the module with symbols for the batch and the sides (`torch.onnx`, dynamo), so nothing
of an example's size is in the file. Batches of sizes that the export never saw are run by
onnxruntime and compared with torch before anything is written.
"""

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import torch

from gridgen.emit import GridNetwork
from gridgen.errors import ExportError, UsageError
from gridgen.export.unseen import INPUT, Compared, compared_with, example, symbols
from gridgen.spec import NetworkSpec

OPSET = 20
OUTPUT = "prediction"


def onnx_of(
    network: GridNetwork,
    about: Mapping[str, Any],
    verify: bool = True,
    of: GridNetwork | None = None,
) -> tuple[bytes, list[Compared]]:
    """The bytes of an ONNX file, and what was compared, nothing without `verify`.

    Its input `images` (N, in_channels, H, W) and output `prediction` (N, classes, H, W) have any
    batch and, under the size policies, any sides from the smallest legal one on; under `error`
    multiples. `about` is written into its metadata as JSON, beside the spec. `of` is what it is
    compared with, where `network` was rewritten. Errors: `UsageError`
    where packages are missing; `ExportError` for a network that ONNX cannot hold, or that gives
    other numbers there.
    """
    onnx, runtime = _packages(verify)
    if network.grid.sides:
        raise ExportError("ONNX: features that enter beside the image are not exported; use source")
    network = network.eval()
    with quiet():
        try:
            program = torch.onnx.export(
                network,
                (example(network),),
                dynamo=True,
                dynamic_shapes={INPUT: symbols(network.grid.spec)},
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
    if not verify:
        return raw, []
    return raw, compared_with(of or network, runs(runtime.InferenceSession(raw)), "ONNX")


def runs(session: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    """What a session of onnxruntime, or one that is called so, computes of a batch."""

    def run(images: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(session.run(None, {INPUT: images.numpy()})[0])

    return run


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
def quiet() -> Iterator[None]:
    """Without lines of torch, its exporter and onnxruntime that no user can do anything about."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir", "onnxscript", "")]
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
