"""The presets that restore images: the grid as frame interpolation uses it."""

from pathlib import Path

import pytest

from gridgen.analysis import count
from gridgen.errors import SpecError
from gridgen.grid import build_grid
from gridgen.grid.layers import BatchNorm, PReLU, ReLU, Residual
from gridgen.spec import GridSpec

FOLDER = Path(__file__).parents[2] / "specs"
COUNTS = {"restoration": 2_256_450, "restoration-small": 90_002, "interpolation": 2_665_862}


def load(name: str) -> GridSpec:
    return GridSpec.load(FOLDER / f"{name}.yaml")


@pytest.mark.parametrize("name", COUNTS)
def test_a_preset_has_the_parameters_that_it_should(name):
    assert count(build_grid(load(name))).parameters.total == COUNTS[name]


@pytest.mark.parametrize("name", COUNTS)
def test_no_preset_normalizes_and_each_channel_has_a_slope(name):
    grid = build_grid(load(name))
    blocks = [*grid.stem, *grid.head, *(layer for side in grid.sides for layer in side.layers)]
    inner = [layer for block in blocks if isinstance(block, Residual) for layer in block.layers]
    layers = [*inner, *(layer for connection in grid for layer in connection.unit)]
    assert not any(isinstance(layer, BatchNorm | ReLU) for layer in layers)
    assert min(layer.slopes for layer in layers if isinstance(layer, PReLU)) > 1


def test_the_preset_by_hand():
    """A unit has conv 9CF + F twice, and a slope for each channel that it rectifies."""

    def unit(c: int, f: int) -> int:
        return c + 9 * c * f + f + f + 9 * f * f + f

    def block(c: int, f: int, k: int) -> int:
        return 9 * c * f + f + f + 9 * f * k + k + c * k + k

    laterals = 5 * sum(unit(f, f) for f in (32, 64, 96))
    vertical = 3 * sum(unit(c, f) for c, f in ((32, 64), (64, 96), (64, 32), (96, 64)))
    total = laterals + vertical + block(1, 32, 32) + block(32, 32, 1)
    assert total == COUNTS["restoration"]
    sides = block(128, 64, 64) + block(192, 96, 96)
    wider = block(70, 32, 32) + block(32, 32, 3) - block(1, 32, 32) - block(32, 32, 1)
    assert total + wider + sides == COUNTS["interpolation"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"side_channels": [4]},
            "side_channels: 1 values, but 2 streams below stream 0; give one for each",
        ),
        ({"side_channels": [4, 0]}, "side_channels.1: 0 is less than 1"),
        (
            {"side_channels": [4, 5], "fusion": "concat"},
            "side_channels: features are added; set fusion: sum, not concat",
        ),
        (
            {"side_channels": [4, 5], "columns": ["up", "sub", "up"]},
            "side_channels: no lower stream begins in an up column; begin with sub",
        ),
    ],
)
def test_side_channels_that_cannot_be_are_one_line(fields, text):
    with pytest.raises(SpecError) as caught:
        load("restoration").but(**fields)
    assert str(caught.value) == text
