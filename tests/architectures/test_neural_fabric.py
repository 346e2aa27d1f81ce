from gridgen import build_grid, count
from gridgen.architectures.neural_fabric import NeuralFabric
from gridgen.grid import FeatureMap
from gridgen.grid.layers import Conv, Deconv


def fabric(**fields):
    return build_grid(NeuralFabric(architecture="neural-fabric", **fields))


def test_a_fabric_has_a_trellis_and_two_chains_of_single_convolutions():
    connections, maps = 7 * (3 * 6 - 2) + 2 * 5, 6 * 8
    ends = 27 * 64 + 64 + 64 * 3 + 3
    total = connections * (9 * 64 * 64 + 64) + maps * 2 * 64 + ends
    assert total == 4_513_347
    assert count(fabric()).parameters.total == total
    assert len(fabric().connections) == connections


def test_all_inputs_of_an_inner_map_come_from_the_column_before():
    arriving = fabric().into(FeatureMap(2, 3))
    assert [c.source for c in arriving] == [(2, 2), (1, 2), (3, 2)]
    assert [c.unit for c in arriving] == [
        (Conv(64, 64),),
        (Conv(64, 64, stride=2),),
        (Deconv(64, 64, stride=2),),
    ]


def test_vertical_connections_lead_down_the_first_column_and_up_the_last():
    grid = fabric(streams=4, columns=5)
    vertical = [c for c in grid if c.source.column == c.target.column]
    assert [c.name for c in vertical] == [
        *("sub_1_0", "sub_2_0", "sub_3_0"),
        *("up_2_4", "up_1_4", "up_0_4"),
    ]


def test_no_unit_is_residual_and_channels_are_constant():
    grid = fabric(channels=5)
    assert all(c.shortcut is None for c in grid)
    assert {grid.channels_of(x) for x in grid.maps} == {5}


def test_a_fabric_of_one_stream_is_a_plain_network():
    grid = fabric(streams=1, columns=4)
    assert [c.name for c in grid] == ["lateral_0_1", "lateral_0_2", "lateral_0_3"]
