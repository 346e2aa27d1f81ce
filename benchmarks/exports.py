"""Every network as an ONNX file: how far its answers are from torch's, and what the export takes.

    pip install 'gridgen[onnx]'
    python -m benchmarks.exports [--only NAME] [--openvino | --programs]

The published networks at the small widths of the tests, and the specs that come along. Each is
exported with one batch of one size; three batches of sizes that the export never saw are run by
onnxruntime (with `--openvino`, by OpenVINO too), and the greatest difference is shown in units of
the greatest value of the prediction. `gridgen export` refuses what is more than 1e-5 apart.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gridgen import Grid, GridNetwork, build_grid, load_spec
from gridgen.errors import GridgenError
from gridgen.export import onnx, unseen
from gridgen.export.exported_program import exported_program_of
from tests.small import SMALL

# By itself it computes in bf16 on processors that have it.
FP32 = {"INFERENCE_PRECISION_HINT": "f32"}
SPECS = Path(__file__).parent.parent / "specs"


def networks() -> Iterator[tuple[str, Grid]]:
    """Published networks with size policies in turn, then all specs that come along."""
    for name, policy in zip(SMALL, cycle(("pad", "crop", "resize"))):
        yield f"{name}, {policy}", build_grid(load_spec(name, **SMALL[name], size=policy))
    for path in sorted(SPECS.glob("**/*.yaml")):
        grid = build_grid(load_spec(path))
        yield f"{path.relative_to(SPECS)}, {grid.spec.size}", grid


def by_openvino(raw: bytes, network: GridNetwork) -> float:
    """The greatest difference between OpenVINO and torch at the same batches."""
    import openvino  # type: ignore[import-untyped]

    compiled: Any = openvino.compile_model(openvino.Core().read_model(raw, b""), "CPU", FP32)

    class Session:
        def run(self, _: None, given: dict[str, Any]) -> list[Any]:
            return [np.asarray(compiled(given[unseen.INPUT])[0])]

    return max(
        each.difference for each in unseen.compared_with(network, onnx.runs(Session()), "OpenVINO")
    )


def programs(only: str) -> None:
    """Each network as a program of torch.export, compared with torch in the same way."""
    print("| network, size policy | MB | torch.export |\n|---|---:|---:|", flush=True)
    for name, grid in networks():
        if only not in name:
            continue
        torch.manual_seed(0)
        try:
            raw, compared = exported_program_of(GridNetwork(grid), {})
            worst = max(each.difference for each in compared)
            print(f"| {name} | {len(raw) / 1e6:.1f} | {worst:.0e} |", flush=True)
        except GridgenError as error:
            print(f"| {name} | | {error} |", flush=True)


def row(name: str, grid: Grid, others: Sequence[Callable[[bytes, GridNetwork], float]]) -> str:
    torch.manual_seed(0)
    network = GridNetwork(grid).eval()
    begun = time.perf_counter()
    try:
        raw, compared = onnx.onnx_of(network, {})
        seconds = time.perf_counter() - begun
        differences = [max(each.difference for each in compared)]
        differences += [other(raw, network) for other in others]
    except GridgenError as error:
        return f"| {name} | | | {error} |"
    told = " | ".join(f"{each:.0e}" for each in differences)
    return f"| {name} | {seconds:.0f} | {len(raw) / 1e6:.1f} | {told} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", metavar="NAME", help="in the names of networks")
    parser.add_argument("--openvino", action="store_true")
    parser.add_argument("--programs", action="store_true", help="of torch.export, instead of ONNX")
    options = parser.parse_args()
    if options.programs:
        programs(options.only)
        return
    others = [by_openvino] if options.openvino else []
    more = " OpenVINO |" * len(others)
    print(f"| network, size policy | export and comparison, s | MB | onnxruntime |{more}")
    print("|---|---:|---:|---:|" + "---:|" * len(others), flush=True)
    for name, grid in networks():
        if options.only in name:
            print(row(name, grid, others), flush=True)


if __name__ == "__main__":
    main()
