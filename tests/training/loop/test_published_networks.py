"""Training a published network: it takes its classes and channels from the data."""

import pytest
from tiny import RECIPE

from gridgen.architectures import load_spec
from gridgen.errors import SpecError
from gridgen.grid import build_grid
from gridgen.training import Recipe, evaluate, train

QUICK = RECIPE.but(epochs=1, batch=500)


def test_what_a_spec_leaves_open_the_data_decides(tmp_path):
    grid = build_grid(load_spec("unet-2015", streams=2, base_channels=2))
    run = train(grid, "shapes", QUICK, folder=tmp_path / "run")
    assert (run.spec.title, run.spec.in_channels, run.spec.classes) == ("unet-2015", 3, 3)
    assert (run.spec.streams, run.spec.base_channels) == (2, 2)
    assert evaluate(run.folder, "shapes", baseline=False).network.value >= 0


def test_what_a_spec_says_is_not_overruled(tmp_path):
    grid = build_grid(load_spec("unet-2015", streams=2, base_channels=2, classes=5))
    with pytest.raises(SpecError) as caught:
        train(grid, "shapes", QUICK, folder=tmp_path / "run")
    assert str(caught.value) == "classes: 5, but the data shapes has 3; set classes: 3"
    assert not (tmp_path / "run").exists()


def test_the_connections_that_were_kept_stay_kept(tmp_path):
    keep = ["lateral_0_*"]
    grid = build_grid(load_spec("deeplab-trellis", base_channels=2, topology={"keep": keep}))
    recipe = QUICK.but(crop={"smallest": 32, "largest": 32, "size": 32}, batch=250)
    run = train(grid, "shapes", recipe, folder=tmp_path / "run")
    assert len(build_grid(run.spec).connections) == len(grid.connections) == 13


def refusal(name: str, side: int, folder, **fields) -> str:
    crop = {"smallest": 8, "largest": 8, "size": side}
    recipe = Recipe(epochs=1, batch=1, learning_rate=0.01, crop=crop)
    with pytest.raises(SpecError) as caught:
        train(load_spec(name, **fields), "shapes", recipe, folder=folder)
    assert not folder.exists()
    return str(caught.value)


def test_a_bn_that_would_see_one_value_is_told_before_anything_is_written(tmp_path):
    told = refusal("neural-fabric", 8, tmp_path / "run", streams=4, columns=2, channels=2)
    assert told == (
        "batch: 1, but BN of map_3_0, map_3_1 sees one value of each channel in a crop of 8, "
        "which has no variance; set batch: 2, or crop.size: 16"
    )


def test_no_larger_crop_is_advised_where_the_whole_image_is_pooled(tmp_path):
    assert refusal("pspnet", 64, tmp_path / "run").endswith("no variance; set batch: 2")
