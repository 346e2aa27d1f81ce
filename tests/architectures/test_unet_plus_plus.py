from gridgen import build_grid, count
from gridgen.architectures.unet_plus_plus import UnetPlusPlus
from gridgen.grid import FeatureMap
from gridgen.grid.layers import Deconv


def unet_plus_plus(**fields):
    return build_grid(UnetPlusPlus(architecture="unet++", **fields))


def test_the_parameters_are_those_that_the_authors_code_prints():
    assert count(unet_plus_plus(in_channels=1, classes=1)).parameters.total == 9_041_601


def test_three_channels_and_two_classes_add_to_them():
    assert 9_041_601 + 2 * 9 * 32 + 33 == 9_042_210
    assert count(unet_plus_plus()).parameters.total == 9_042_210


def test_a_map_concatenates_all_before_it_in_its_row_and_the_one_below():
    arriving = unet_plus_plus().into(FeatureMap(1, 4))
    assert [c.source for c in arriving] == [(1, 1), (1, 2), (1, 3), (2, 4)]
    assert [c.unit for c in arriving] == [(), (), (), (Deconv(128, 64, 2, kernel=2),)]
    assert unet_plus_plus().joined(FeatureMap(1, 4)) == 4 * 64


def test_down_is_the_diagonal_and_up_stays_in_its_column():
    grid = unet_plus_plus()
    down = [c for c in grid if c.kind == "subsampling"]
    assert [(c.source, c.target) for c in down] == [((i, i), (i + 1, i + 1)) for i in range(4)]
    assert all(c.source.column == c.target.column for c in grid if c.kind == "upsampling")


def test_at_two_streams_it_is_a_u_net():
    grid = unet_plus_plus(streams=2)
    assert [c.name for c in grid] == ["sub_1_1_from_0_0", "lateral_0_1", "up_0_1"]
