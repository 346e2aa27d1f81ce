"""A network as a program of `torch.export`: one file that torch loads without gridgen."""

import json
import warnings
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import torch

from gridgen.emit import GridNetwork
from gridgen.errors import ExportError
from gridgen.export.unseen import INPUT, Compared, compared_with, example

ABOUT = "gridgen.json"
"""The file inside that says what the program is."""


def exported_program_of(
    network: GridNetwork, about: Mapping[str, Any], verify: bool = True
) -> tuple[bytes, list[Compared]]:
    """The bytes of a `.pt2` file for `torch.export.load`, and what was compared with torch.

    Any batch and, under the size policies, any sides above the smallest legal one, at which torch
    would take the lowest maps for single pixels; under `error` multiples. Errors: `ExportError` for
    a network that torch cannot export so, or that gives other numbers.
    """
    if network.grid.sides:
        fact = "torch.export: features that enter beside the image are not exported"
        raise ExportError(f"{fact}; use the source")
    network, spec = network.eval(), network.grid.spec
    # Named sides are refused where the range that torch finds for them is narrower.
    sides = dict.fromkeys(range(2, 2 + spec.dimensions), torch.export.Dim.AUTO)
    shapes = {INPUT: {0: torch.export.Dim("batch", min=1), **sides}}
    try:
        program = torch.export.export(network, (example(network),), dynamic_shapes=shapes)
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()
        fact = f"torch cannot export {spec.title}: {reason[0] if reason else type(error).__name__}"
        raise ExportError(f"{fact}; use the source") from error
    for node in program.graph.nodes:
        # Lines of code, which name folders of this machine.
        for key in ("stack_trace", "nn_module_stack", "source_fn_stack"):
            node.meta.pop(key, None)
    file = BytesIO()
    told = json.dumps({**about, "spec": spec.complete()})
    with warnings.catch_warnings():
        # torch takes weights that are laid out channels-last for parts of others; they are whole.
        warnings.filterwarnings("ignore", "No complete tensor found")
        torch.export.save(program, file, extra_files={ABOUT: told})
    raw = file.getvalue()
    if not verify:
        return raw, []
    loaded = torch.export.load(BytesIO(raw)).module()
    return raw, compared_with(network, loaded, "torch.export", above_least=True)
