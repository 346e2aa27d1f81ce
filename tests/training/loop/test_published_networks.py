"""Training a published network: it takes its classes and channels from the data."""

import pytest
from tiny import RECIPE

from gridgen.architectures import load_spec
from gridgen.errors import SpecError, TrainingError
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


def test_a_bn_that_sees_one_value_is_explained(tmp_path):
    grid = build_grid(load_spec("neural-fabric", streams=4, columns=2, channels=2))
    recipe = Recipe(
        epochs=1, batch=1, learning_rate=0.01, crop={"smallest": 8, "largest": 8, "size": 8}
    )
    with pytest.raises(TrainingError) as caught:
        train(grid, "shapes", recipe, folder=tmp_path / "run")
    assert str(caught.value) == (
        "A BN sees one value per channel at batch 1, crop.size 8. "
        "Raise batch; a larger crop.size helps only where no layer pools the whole image. "
        "No state was saved yet."
    )
