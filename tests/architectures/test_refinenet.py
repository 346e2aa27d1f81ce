import pytest

from gridgen import build_grid, count
from gridgen.architectures.refinenet import RefineNet
from gridgen.grid import FeatureMap
from gridgen.grid.layers import Conv, MaxPool, Residual, Upsample


def refinenet(**fields):
    return build_grid(RefineNet(architecture="refinenet", **fields))


def between(grid):
    return {(tuple(c.source), tuple(c.target)): c for c in grid}


def test_the_parameters_are_those_of_resnet_101_and_four_blocks():
    paths = 9 * (2048 * 512 + 256 * (1024 + 512 + 256))
    units = 5 * (18 * 512**2 + 512) + 15 * (18 * 256**2 + 256)
    fusing = 9 * (512 * 256 + 5 * 256**2)
    pooling = 2 * 9 * (512**2 + 3 * 256**2)
    classes = 9 * 256 * 21 + 21
    assert 42_500_160 + paths + units + fusing + pooling + classes == 109_794_901
    assert count(refinenet()).parameters.total == 109_794_901


@pytest.mark.parametrize(("pools", "total"), [(1, 105_666_133), (4, 118_052_437)])
def test_a_pooling_more_is_a_convolution_more_in_every_stream(pools, total):
    assert total - 109_794_901 == (pools - 2) * 9 * (512**2 + 3 * 256**2)
    assert count(refinenet(pools=pools)).parameters.total == total


def test_features_are_twice_as_wide_in_the_lowest_stream():
    grid = refinenet()
    widths = {
        i: {grid.channels_of(x) for x in grid.maps if x.stream == i and x.column} for i in range(4)
    }
    assert widths == {0: {256}, 1: {256}, 2: {256}, 3: {512}}
    assert [grid.channels_of(FeatureMap(i, 0)) for i in range(4)] == [256, 512, 1024, 2048]


def test_a_block_fuses_its_stage_with_the_block_below_and_both_pass_two_residual_units():
    grid = refinenet()
    stage, below = grid.into(FeatureMap(2, 3))
    assert [tuple(c.source) for c in (stage, below)] == [(2, 0), (3, 3)]
    for connection in (stage, below):
        assert sum(isinstance(layer, Residual) for layer in connection.unit) == 2
    assert below.unit[-2:] == (Conv(512, 256, bias=False), Upsample("bilinear"))


@pytest.mark.parametrize("pools", [1, 2, 3, 4])
def test_what_leaves_a_chain_is_the_sum_of_its_input_and_of_every_pooling(pools):
    grid = refinenet(pools=pools, depth=50, base_channels=4)
    connections = between(grid)
    end = 1 + pools
    pool = MaxPool(5, 1), Conv(32, 32, bias=False)
    for j in range(1, end):
        assert connections[(3, j), (3, j + 1)].unit == pool
    assert [tuple(c.source) for c in grid.into(FeatureMap(3, end))] == [
        (3, j) for j in range(1, end)
    ]
    assert connections[(3, pools), (3, end)].shortcut == ()
