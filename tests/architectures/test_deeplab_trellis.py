import pytest

from gridgen import build_grid, count
from gridgen.analysis import count_paths
from gridgen.architectures.deeplab_trellis import DeeplabTrellis
from gridgen.errors import TopologyError
from gridgen.grid import FeatureMap


def deeplab(**fields):
    return build_grid(DeeplabTrellis(architecture="deeplab-trellis", **fields))


def test_it_has_2_825_787_parameters():
    f = [40 << i for i in range(4)]

    def unit(i, j):
        return 9 * f[i] + f[i] * f[j] + 2 * f[j]

    pairs = [(i, j) for i in range(4) for j in range(4) if abs(i - j) <= 1]
    trellis = sum(
        unit(i, j) for column in range(1, 13) for i, j in pairs if i < column and j <= column
    )
    stem = 27 * 64 + 9 * 64 * 64 + 9 * 64 * 40 + 2 * (64 + 64 + 40)
    end = sum(width * 40 + 2 * 40 for width in f)
    assert stem + trellis + end + 40 * 19 + 19 == 2_825_787
    assert count(deeplab()).parameters.total == 2_825_787


@pytest.mark.parametrize(("columns", "paths"), [(3, 13), (4, 34), (12, 75_025)])
def test_its_paths_are_every_second_fibonacci_number(columns, paths):
    assert count_paths(deeplab(columns=columns)) == paths


def test_stream_i_opens_in_column_i_with_twice_the_channels():
    grid = deeplab()
    first = {i: min(x.column for x in grid.maps if x.stream == i) for i in range(4)}
    assert first == {0: 0, 1: 1, 2: 2, 3: 3}
    assert [grid.channels_of(FeatureMap(i, 12)) for i in range(4)] == [40, 80, 160, 320]


def test_an_inner_map_hears_from_its_stream_and_both_neighbours():
    arriving = [c.name for c in deeplab().into(FeatureMap(1, 7))]
    assert arriving == ["lateral_1_7", "sub_1_7_from_0_6", "up_1_7_from_2_6"]


def test_a_list_of_connections_leaves_one_path():
    path = ["lateral_0_1", "sub_1_2_from_0_1", "up_0_3_from_1_2", "sub_1_4_from_0_3"]
    grid = deeplab(columns=4, topology={"keep": [*path, "up_0_5_from_1_4"]})
    assert [c.name for c in grid] == [*path, "up_0_5_from_1_4"]
    assert count_paths(grid) == 1


def test_a_list_that_leads_nowhere_is_refused():
    with pytest.raises(TopologyError) as caught:
        deeplab(topology={"keep": ["lateral_0_1"]})
    assert "no path from input to output is left" in str(caught.value)
