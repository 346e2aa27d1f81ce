import pytest

from gridgen import build_grid, count
from gridgen.architectures.bifpn import Bifpn
from gridgen.grid import FeatureMap
from gridgen.grid.fusions import SUM, WEIGHTED


def bifpn(**fields):
    return build_grid(Bifpn(architecture="bifpn", **fields))


def test_it_has_23_998_977_parameters():
    node = 9 * 64 + 64 * 64 + 64 + 2 * 64
    inputs = 64 * (256 + 512 + 1024 + 2048 + 2048) + 5 * 3 * 64
    weights = 3 * (4 * 2) + 2 * (3 * 3 + 2)
    classes = 64 * 19 + 19
    assert 23_508_032 + inputs + (20 + 3) * node + weights + classes == 23_998_977
    assert count(bifpn()).parameters.total == 23_998_977


@pytest.mark.parametrize("repeats", [1, 2, 4])
def test_columns_go_up_and_down_by_turns_and_end_up(repeats):
    grid = bifpn(repeats=repeats, depth=18)
    kinds = [
        {c.kind for c in grid if c.source.column == c.target.column == column}
        for column in range(2, 1 + 2 * repeats)
    ]
    assert kinds == ([{"upsampling"}, {"subsampling"}] * repeats)[:-1]
    assert grid.output == FeatureMap(0, 2 * repeats)


def test_the_way_down_reads_its_input_a_second_time_past_the_way_up():
    skipping = [c for c in bifpn() if c.target.column - c.source.column == 2]
    assert [c.name for c in skipping if c.target.column == 3] == [
        "lateral_1_3_from_1_1",
        "lateral_2_3_from_2_1",
        "lateral_3_3_from_3_1",
    ]
    assert all(c.unit == () and c.target.column in (3, 5) for c in skipping)


def test_every_node_of_two_inputs_weights_them_and_one_of_one_input_passes_it():
    grid = bifpn()
    for target in grid.maps:
        joins = len(grid.into(target)) > 1
        assert grid.fusion_of(target) is (WEIGHTED if joins else SUM)
        assert bool(grid.fusion_layers(target)) == joins


def test_streams_beyond_the_backbone_are_pooled_from_its_last_stage():
    six = bifpn(streams=6, depth=18)
    assert six.spec.multiple == 128
    assert [six.channels_of(FeatureMap(i, 0)) for i in range(6)] == [64, 128, 256, 512, 64, 64]
