from dataclasses import FrozenInstanceError

import pytest

from gridgen.grid.layers import BatchNorm, Conv, Deconv, MaxPool, ReLU, Upsample, cost

SHAPE = (4, 6, 10)


@pytest.mark.parametrize(
    ("layer", "shape", "parameters", "macs"),
    [
        (Conv(4, 8), (8, 6, 10), (9 * 4 + 1) * 8, 9 * 4 * 8 * 60),
        (Conv(4, 8, stride=2), (8, 3, 5), (9 * 4 + 1) * 8, 9 * 4 * 8 * 15),
        (Conv(4, 8, kernel=1), (8, 6, 10), (4 + 1) * 8, 4 * 8 * 60),
        (Deconv(4, 8), (8, 6, 10), (9 * 4 + 1) * 8, 9 * 4 * 8 * 60),
        (Deconv(4, 8, stride=2), (8, 12, 20), (9 * 4 + 1) * 8, 9 * 4 * 8 * 60),
        (BatchNorm(4), SHAPE, 8, 0),
        (ReLU(), SHAPE, 0, 0),
        (MaxPool(), (4, 3, 5), 0, 0),
        (Upsample(), (4, 12, 20), 0, 0),
        (Upsample("bilinear"), (4, 12, 20), 0, 0),
    ],
)
def test_a_layer_knows_its_shape_parameters_and_macs(layer, shape, parameters, macs):
    assert layer.out(SHAPE) == shape
    assert layer.parameters == parameters
    assert layer.macs(SHAPE) == macs


@pytest.mark.parametrize("layer", [Conv(1, 1, stride=2), MaxPool()])
def test_odd_sides_are_halved_upwards(layer):
    assert layer.out((1, 45, 1)) == (1, 23, 1)


def test_layers_are_frozen_and_equal_by_value():
    assert Conv(4, 8) == Conv(4, 8)
    assert len({Conv(4, 8), Conv(4, 8), Deconv(4, 8)}) == 2
    with pytest.raises(FrozenInstanceError):
        Conv(4, 8).stride = 2


def test_the_cost_of_a_sequence_follows_its_shape():
    found = cost((BatchNorm(4), Conv(4, 8, stride=2), ReLU()), SHAPE)
    assert found.shape == (8, 3, 5)
    assert found.parameters == 8 + 37 * 8
    assert found.activations == 4 * 60 + 8 * 15 + 8 * 15
    assert found.macs == 36 * 8 * 15


def test_no_layers_cost_nothing():
    found = cost((), SHAPE)
    assert (found.parameters, found.activations, found.macs, found.shape) == (0, 0, 0, SHAPE)
