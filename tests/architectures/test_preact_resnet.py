from gridgen import build_grid, count
from gridgen.architectures.preact_resnet import PreactResNet
from gridgen.grid.layers import BatchNorm, Conv, ReLU


def preact(**fields):
    return build_grid(PreactResNet(architecture="preact-resnet", **fields))


def test_the_parameters_are_those_of_stem_units_and_head():
    unit = 2 * (9 * 64**2 + 2 * 64)
    assert 9 * 3 * 64 + 8 * unit + 2 * 64 + 64 * 19 + 19 == 594_963
    assert count(preact()).parameters.total == 594_963


def test_a_unit_more_is_73_984_parameters_more():
    more, fewer = (count(preact(units=units)).parameters.total for units in (9, 8))
    assert more - fewer == 73_984


def test_one_stream_is_a_chain_of_units_with_their_identity():
    grid = preact(units=4)
    assert [c.name for c in grid] == [f"lateral_0_{j}" for j in range(1, 5)]
    assert {c.shortcut for c in grid} == {()}


def test_bn_and_relu_come_before_every_convolution():
    half = BatchNorm(16), ReLU(), Conv(16, 16, bias=False)
    assert {c.unit for c in preact(base_channels=16)} == {half * 2}
