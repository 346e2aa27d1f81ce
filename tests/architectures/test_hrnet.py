import pytest

from gridgen import build_grid, count
from gridgen.architectures.hrnet import Hrnet
from gridgen.grid import FeatureMap
from gridgen.grid.layers import Conv, ReLU, Residual, Upsample


def hrnet(**fields):
    return build_grid(Hrnet(architecture="hrnet", **fields))


def convolutions(connection):
    return [(x.kernel, x.stride) for x in connection.unit if isinstance(x, Conv)]


@pytest.mark.parametrize(("width", "total"), [(18, 9_641_119), (48, 65_859_379)])
def test_the_parameters_grow_with_the_square_of_the_width(width, total):
    fixed = 38_848 + 286_208 + 19
    linear = 1_711 + 9 * 256 * 3 + 6 + 15 * 19
    assert 28_258 * width**2 + linear * width + fixed == total
    assert count(hrnet(width=width)).parameters.total == total


@pytest.mark.parametrize(("column", "streams"), [(3, 2), (5, 3), (8, 3), (10, 4), (12, 4)])
def test_an_exchange_connects_every_stream_with_every_stream(column, streams):
    links = [c for c in hrnet() if c.target.column == column and c.source.column == column - 1]
    assert len(links) == streams**2
    assert all(c.unit == () for c in links if c.kind == "lateral")


def test_an_exchange_halves_as_often_as_needed_and_doubles_once():
    arriving = {c.source.stream: c for c in hrnet().into(FeatureMap(2, 11))}
    assert convolutions(arriving[0]) == [(3, 2), (3, 2)]
    assert convolutions(arriving[1]) == [(3, 2)]
    assert convolutions(arriving[3]) == [(1, 1)]
    assert arriving[3].unit[-1] == Upsample("bilinear", 2)


def test_each_stage_opens_the_stream_below_from_its_last():
    opened = [c for c in hrnet() if c.source.column == c.target.column]
    assert [c.name for c in opened] == ["sub_1_1", "sub_2_3", "sub_3_8"]
    assert [c.unit[0].channels_in for c in opened] == [256, 96, 192]


def test_a_map_rectifies_what_it_exchanged_then_has_four_blocks():
    grid = hrnet()
    first, *branch = grid.fusion_layers(FeatureMap(1, 6))
    assert first == ReLU()
    assert sum(isinstance(layer, Residual) for layer in branch) == 4
    assert grid.fusion_layers(FeatureMap(1, 12)) == (ReLU(),)


def test_the_prediction_reads_all_streams_at_the_size_of_the_first():
    grid = hrnet()
    assert [c.unit for c in grid.into(grid.output)] == [
        (),
        *((Upsample("bilinear", factor),) for factor in (2, 4, 8)),
    ]
    assert grid.channels_of(grid.output) == 15 * 48
