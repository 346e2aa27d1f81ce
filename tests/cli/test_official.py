"""`gridgen evaluate --official`, on a network that nobody has trained."""

import json
from importlib.util import find_spec

import pytest
import torch
from cityscapes import make_tree

from gridgen.emit import GridNetwork, save_network
from gridgen.grid import build_grid
from gridgen.spec import GridSpec


@pytest.fixture
def tree(place):
    """The current directory, with a tree `cs` and weights `w.safetensors`."""
    if find_spec("cityscapesscripts") is None:
        pytest.skip("cityscapesscripts, the official script, is not installed")
    make_tree(place / "cs")
    torch.manual_seed(0)
    spec = GridSpec(streams=2, columns="1+1", base_channels=3, classes=19)
    save_network(GridNetwork(build_grid(spec)), place / "w.safetensors")
    return place


def test_the_official_scores_stand_beside_the_papers(tree, gridgen):
    code, out, err = gridgen(
        "evaluate", "w.safetensors", "--data", "cityscapes:cs", "--official", "--no-baseline"
    )
    assert (code, err) == (0, "")
    lines = [line.split("  ")[0] for line in out.splitlines()]
    assert "w.safetensors, val" in lines
    assert "table 1: sum, h-residual, total dropout (proposed)" in lines
    assert "table 2: GridNet, on test" in lines
    assert "wrote       w/cityscapes-val: label ids of every image, and official.json" in out
    assert max(map(len, out.splitlines())) <= 100
    mean = next(line.split()[2] for line in out.splitlines() if line.startswith("mean IoU"))
    ours = next(line.split()[2] for line in out.splitlines() if line.startswith("w.safetensors,"))
    assert float(ours) == pytest.approx(100 * float(mean), abs=0.006)


def test_json_and_a_folder_hold_them_too(tree, gridgen):
    command = "evaluate w.safetensors --data cityscapes:cs --official --no-baseline --json -o page"
    code, out, err = gridgen(*command.split())
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["official"]["iou_class"]["mean"] == pytest.approx(told["mean_iou"], abs=1e-6)
    assert told["official"]["predictions"] == "page/cityscapes-val"
    kept = json.loads((tree / "page" / "cityscapes-val" / "official.json").read_text("utf-8"))
    assert kept == told["official"]


def test_other_data_are_refused_before_anything_is_predicted(tree, gridgen):
    assert gridgen("evaluate", "w.safetensors", "--data", "cs", "--official") == (
        2,
        "",
        "--official needs Cityscapes, not cs; give --data cityscapes:PATH\n",
    )
