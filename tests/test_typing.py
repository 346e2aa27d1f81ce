"""Type checkers accept what constructors and functions take, and refuse what they do not."""

from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[1]
ACCEPTED = """
from pathlib import Path

import numpy as np

import gridgen
from gridgen.cli import main
from gridgen.grid import FUSIONS, TOPOLOGIES, UNITS, Connection
from gridgen.grid.layers import Conv, Layers
from gridgen.testing import check_unit
from gridgen.training.tasks import Segmentation

spec = gridgen.GridSpec(
    streams=3,
    columns="2+2",
    channels=[8, 16, 32],
    classes=4,
    units={"lateral": "separable"},
    residual={"vertical": True},
    topology={"drop": ["lateral_2_*"]},
)
kept: gridgen.Grid = gridgen.prune(spec, "unet")
total: int = gridgen.count(spec, "64x64").parameters.total
peak: int = gridgen.count_memory(spec, [64, 64], gridgen.Setting(batch=4)).peak_training
network = gridgen.GridNetwork(spec)
field: int | None = gridgen.receptive_field(network)
drawn: Path = gridgen.draw(spec).save(Path("grid.svg"))
within = gridgen.Budget(parameters="5M", size=(360, 480), precision="bf16").verdict(spec)
found: int = gridgen.feasible(spec, {"base_channels": {"low": 4, "high": 8}}).feasible
recipe = gridgen.load_recipe("demo", epochs=3)
run: gridgen.Run = gridgen.train(spec, Path("images"), recipe)
answer = gridgen.open_model(run)(np.zeros((8, 8, 3), np.uint8), "multiscale")
space = {"streams": [2, 3], "base_channels": {"low": 4, "high": 8}}
limits = {"parameters": "20k"}
study = gridgen.Study(
    data=Path("images"), recipe="demo", spec=spec, space=space, budget=limits, seeds=3, baselines=[]
)
"""
REFUSED = {
    'gridgen.GridSpec(streams="3", columns="2+2", base_channels=8, classes=4)': "streams",
    'gridgen.GridSpec(streams=3, colums="2+2", base_channels=8, classes=4)': "colums",
    'gridgen.count("unet")': "count",
    "gridgen.Budget(parameters=[5])": "parameters",
    "gridgen.unet": "unet",
}


def mypy(code: str, folder: Path) -> str:
    """What mypy says of a module with the project's settings and its cache."""
    (folder / "mine.py").write_text(code)
    settings = [f"--config-file={ROOT / 'pyproject.toml'}", f"--cache-dir={ROOT / '.mypy_cache'}"]
    # The settings name the package itself, which a module on the command line would contradict.
    said, errors, _ = api.run([*settings, "--no-error-summary", str(folder / "mine.py")])
    return said + errors


@pytest.mark.slow
def test_what_is_accepted_and_what_is_refused(tmp_path):
    lines = list(REFUSED)
    code = ACCEPTED + "\n".join(lines) + "\n"
    first = code.count("\n", 0, len(ACCEPTED)) + 1
    found = [line.split(": ", 2) for line in mypy(code, tmp_path).splitlines() if "error" in line]
    at = {int(place.split(":")[-1]): fact for place, _, fact in found}
    assert sorted(at) == list(range(first, first + len(lines))), "\n".join(map(str, found))
    for number, line in enumerate(lines):
        assert REFUSED[line] in at[first + number]
