import pytest

from gridgen import build_grid, count
from gridgen.architectures.pspnet import Pspnet
from gridgen.grid import FeatureMap
from gridgen.grid.layers import AveragePool, Conv, Resize
from gridgen.grid.tracing import trace

MAP, END = FeatureMap(1, 3), FeatureMap(1, 7)


def pspnet(**fields):
    return build_grid(Pspnet(architecture="pspnet", **fields))


@pytest.mark.parametrize(
    ("depth", "resnet", "total"), [(50, 23_508_032, 46_715_347), (101, 42_500_160, 65_707_475)]
)
def test_the_parameters_are_those_of_the_resnet_and_the_pyramid(depth, resnet, total):
    deep_stem = (27 + 576) * 64 + 576 * 128 + 2 * 256 - (147 * 64 + 128) + 64 * (64 + 256)
    pyramid = 4 * (2048 * 512 + 2 * 512)
    end = 9 * 4096 * 512 + 2 * 512 + 512 * 19 + 19
    assert resnet + deep_stem + pyramid + end == total
    assert count(pspnet(depth=depth)).parameters.total == total


def test_the_map_is_pooled_to_a_stream_per_bin_and_back_to_its_own_size():
    grid = pspnet()
    pooled = [c for c in grid if c.source == MAP and c.target != END]
    assert [c.unit[0] for c in pooled] == [AveragePool(bins) for bins in (6, 3, 2, 1)]
    back = [c for c in grid.into(END) if c.kind == "upsampling"]
    assert [c.source for c in back] == [c.target for c in pooled]
    assert {(c.unit, c.auxiliary) for c in back} == {((Resize("bilinear"),), MAP)}


def test_the_map_itself_and_four_quarters_of_its_channels_are_concatenated():
    grid = pspnet(depth=50)
    assert grid.into(END)[0].unit == ()
    assert grid.joined(END) == 2048 + 4 * 512
    assert count(grid).paths == 5


def test_pooled_maps_keep_their_size_whatever_the_image_has():
    shapes = trace(pspnet(depth=50), (96, 160)).shapes
    assert shapes[MAP] == (2048, 12, 20)
    assert [shapes[FeatureMap(i, 5)][1:] for i in (2, 3, 4, 5)] == [(b, b) for b in (6, 3, 2, 1)]


def test_the_last_two_stages_are_dilated_instead_of_halved():
    units = {c.name: c.unit for c in pspnet(depth=50)}
    for name, dilation in (("lateral_1_2", 2), ("lateral_1_3", 4)):
        blocks = units[name][::2]
        middle = [x for block in blocks for x in block.layers if getattr(x, "kernel", 0) == 3]
        assert {(conv.dilation, conv.stride) for conv in middle} == {(dilation, 1)}
        assert all(isinstance(conv, Conv) for conv in middle)
