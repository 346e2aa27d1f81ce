"""One supernet, trained for a moment, and some of its sub-networks trained alone."""

import pytest

from gridgen.grid import GridSpec
from gridgen.supernet.plan import train_supernet
from gridgen.training import Recipe, Run, train

SPEC = GridSpec(streams=2, columns="1+2", base_channels=4, classes=3, size="pad")
RECIPE = Recipe(
    epochs=1,
    batch=100,
    learning_rate=0.01,
    crop={"smallest": 8, "largest": 16, "size": 8},
    supernet={"base_channels": [2, 4], "recalibration": 2},
)


@pytest.fixture(scope="session")
def supernet(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("supernet") / "run"
    return train_supernet(SPEC, "shapes", RECIPE, folder=folder)


@pytest.fixture(scope="session")
def alone(tmp_path_factory) -> list:
    """Folders of five networks, of which four are sub-networks, with two seeds each."""
    root, plain = tmp_path_factory.mktemp("alone"), RECIPE.but(supernet=None)
    specs = [SPEC, SPEC.but(topology="resnet"), SPEC.but(base_channels=2)]
    specs += [SPEC.but(topology="unet", base_channels=3), SPEC.but(columns="2+2")]
    specs += [SPEC.but(topology="conv-deconv")]
    for number, spec in enumerate(specs):
        for seed in (0, 1):
            train(spec, "shapes", plain, folder=root / f"{number}-{seed}", seed=seed)
    return sorted(root.iterdir())
