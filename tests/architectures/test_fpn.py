import pytest

from gridgen import build_grid, count
from gridgen.architectures.fpn import Fpn
from gridgen.architectures.panet import Panet
from gridgen.grid import FeatureMap
from gridgen.grid.layers import Conv, Upsample


def fpn(**fields):
    return build_grid(Fpn(architecture="fpn", **fields))


@pytest.mark.parametrize(
    ("depth", "backbone", "widths", "total"),
    [(18, 11_176_512, 960, 15_409_875), (50, 23_508_032, 3840, 28_478_675)],
)
def test_the_parameters_are_those_of_the_backbone_and_the_pyramid(depth, backbone, widths, total):
    laterals, outputs = 256 * widths + 4 * 256, 4 * (9 * 256**2 + 256)
    end = 4 * (9 * 256 * 128 + 256) + 3 * (9 * 128**2 + 256)
    assert backbone + laterals + outputs + end + 128 * 19 + 19 == total
    assert count(fpn(depth=depth)).parameters.total == total


def test_a_resnet_of_101_layers_is_18_992_128_parameters_larger_than_one_of_50():
    larger, smaller = (count(fpn(depth=depth)).parameters.total for depth in (101, 50))
    assert larger - smaller == 17 * (1024 * 256 * 2 + 9 * 256**2 + 2 * (2 * 256 + 1024))
    assert larger - smaller == 18_992_128


def test_the_way_up_has_the_same_channels_everywhere_and_no_weights():
    grid = fpn()
    assert [grid.channels_of(FeatureMap(i, 0)) for i in range(4)] == [256, 512, 1024, 2048]
    assert {grid.channels_of(FeatureMap(i, 1)) for i in range(4)} == {256}
    up = [c for c in grid if c.kind == "upsampling" and c.target.column == 1]
    assert [c.unit for c in up] == [(Upsample(),)] * 3


def test_a_stream_is_upsampled_as_often_as_it_was_halved():
    arriving = fpn().into(FeatureMap(0, 3))
    doublings = [sum(isinstance(layer, Upsample) for layer in c.unit) for c in arriving]
    convolutions = [sum(isinstance(layer, Conv) for layer in c.unit) for c in arriving]
    assert doublings == [0, 1, 2, 3]
    assert convolutions == [1, 1, 2, 3]


def test_every_connection_of_fpn_is_one_of_panet():
    panet = {c.name: c for c in build_grid(Panet(architecture="panet"))}
    assert all(panet[c.name] == c for c in fpn())
