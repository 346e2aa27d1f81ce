"""A new kind of layer, added to a copy of the package by the row of CONTRIBUTING: whole, or found.

Each step of that row is left out in turn: mypy, or the contract test of layers, must name it.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.structure.package import PACKAGE

ROOT = PACKAGE.parent
CONTRACT = "tests/emit/test_layer_contract.py"
LAYERS, LAYER = "gridgen/grid/layers/__init__.py", "gridgen/grid/layers/layer.py"
RECORDS = "gridgen/grid/layers/pointwise.py"
MODULES, KEPT = "gridgen/program/modules.py", "gridgen/memory/layers.py"
PIECES = "gridgen/emit/pieces.py"

RECORD = '''
@dataclass(frozen=True, slots=True)
class LayerScale(Record):
    """A learnt factor per channel."""

    channels: int
'''
TENSORS = """
    @property
    def tensors(self) -> Tensors:
        return (("weight", (self.channels,)),)
"""
REFUSES = """
    def output_channels(self, given: int) -> int:
        self._require_channels(self.channels, given)
        return given
"""
PIECE = '''
class Scale(nn.Module):
    """A learnt factor per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, F, H, W) -> (N, F, H, W)."""
        return x * self.weight[:, None, None]
'''
USE = '''"""A unit with the new layer."""

from gridgen.grid.layers import Layers, LayerScale


def scaled(channels_in: int, channels_out: int) -> Layers:
    """(N, F, H, W) -> (N, F, H, W)."""
    return (LayerScale(channels_in),)
'''

Edit = tuple[str, str, str]
"""File, text that is in it once, and what takes its place; after all of it where that is ""."""

STEPS: dict[str, list[Edit]] = {
    "the record": [(RECORDS, "", RECORD)],
    "its tensors": [(RECORDS, "", TENSORS)],
    "its channels": [(RECORDS, "", REFUSES)],
    "its export": [
        (LAYERS, "    GELU as GELU,\n", "    GELU as GELU,\n    LayerScale as LayerScale,\n")
    ],
    "a member of the union": [
        (LAYER, "    GELU,\n", "    GELU,\n    LayerScale,\n"),
        (LAYER, "Layer = (\n", "Layer = (\n    LayerScale |\n"),
    ],
    "its module": [
        (PIECES, "from torch import Tensor, nn", "import torch\nfrom torch import Tensor, nn"),
        (PIECES, "", PIECE),
        (
            MODULES,
            "        case records.ReLU():\n",
            "        case records.LayerScale(channels):\n"
            '            return ModuleCall("Scale", (ChannelCount(channels),))\n'
            "        case records.ReLU():\n",
        ),
    ],
    "what autograd keeps": [
        (
            KEPT,
            "            case records.ReLU():\n",
            "            case records.LayerScale(channels):\n                return self.new("
            "x, keeps=(x.value.storage,), weights=channels)\n            case records.ReLU():\n",
        ),
    ],
    "an example": [
        (
            CONTRACT,
            "from gridgen.grid.layers import (",
            "from gridgen.grid.layers import (\n    LayerScale,",
        ),
        (CONTRACT, "    ReLU(),\n", "    ReLU(),\n    LayerScale(4),\n"),
    ],
}
"""The row of CONTRIBUTING, step by step."""
FOUND_BY = {
    "its tensors": "test_the_tensors_are_the_modules_parameters[LayerScale(channels=4)]",
    "its channels": "test_channels_that_the_module_refuses_are_refused[LayerScale(channels=4)]",
    "its export": "gridgen/unit_with_it.py",
    "a member of the union": "gridgen/unit_with_it.py",
    "its module": MODULES,
    "what autograd keeps": KEPT,
    "an example": "test_every_kind_of_layer_has_an_example",
}
"""What names a step that was left out: a test, or the file of mypy's complaint."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The package and the contract test, with what mypy already knows of other packages."""
    place = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, place / "gridgen", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "oracles", place / "tests" / "oracles")
    (place / CONTRACT).parent.mkdir()
    shutil.copy(ROOT / "pyproject.toml", place)
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", place / ".mypy_cache")
    return place


def write(place: Path, steps: Iterable[str]) -> None:
    """The files of the copy as they are here, with the edits of `steps`."""
    texts = {
        file: (ROOT / file).read_text("utf-8") for edits in STEPS.values() for file, _, _ in edits
    }
    for file, before, after in (edit for step in steps for edit in STEPS[step]):
        if before:
            assert texts[file].count(before) == 1, f"{file} has not once: {before}"
        texts[file] = texts[file].replace(before, after) if before else texts[file] + after
    texts["gridgen/unit_with_it.py"] = USE
    for file, text in texts.items():
        if not (place / file).exists() or (place / file).read_text("utf-8") != text:
            (place / file).write_text(text)


def complaints(place: Path) -> str:
    """What mypy says of the readers of layers; where it is content, what the contract test does."""
    files = [MODULES, KEPT, LAYER, "gridgen/unit_with_it.py"]
    checked = run(place, "mypy", *files)
    if checked.returncode:
        return checked.stdout
    tested = run(place, "pytest", "-q", "-p", "no:cacheprovider", "--tb=line", CONTRACT)
    return tested.stdout if tested.returncode else ""


def run(place: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A module of Python in the copy, whose package it imports."""
    command = [sys.executable, "-m", *arguments]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(place), "HOME": str(place)}
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)


def test_a_layer_that_is_added_by_all_steps_is_whole(copy):
    write(copy, STEPS)
    assert complaints(copy) == ""


@pytest.mark.parametrize("step", FOUND_BY)
def test_a_step_that_is_left_out_is_found(step, copy):
    write(copy, [other for other in STEPS if other != step])
    assert FOUND_BY[step] in complaints(copy)
