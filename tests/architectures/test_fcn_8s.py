from gridgen import build_grid, count
from gridgen.architectures.fcn_8s import Fcn8s
from gridgen.grid import FeatureMap
from gridgen.grid.layers import Conv, MaxPool, Upsample


def fcn(**fields):
    return build_grid(Fcn8s(architecture="fcn-8s", **fields))


def test_the_parameters_are_those_of_vgg_16_and_three_scores():
    vgg = 14_714_688
    fully_connected = 49 * 512 * 4096 + 4096 + 4096**2 + 4096
    scores = 21 * (256 + 512 + 4096) + 3 * 21
    assert vgg + fully_connected + scores == 134_362_751
    assert count(fcn()).parameters.total == 134_362_751


def test_every_way_down_is_a_row_of_vgg_16_and_ends_in_its_pooling():
    down = [c for c in fcn() if c.kind == "subsampling"]
    assert [c.unit[-1] for c in down] == [MaxPool()] * 5
    rows = [[layer.channels_out for layer in c.unit if isinstance(layer, Conv)] for c in down]
    assert rows == [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]


def test_scores_meet_at_an_eighth_and_are_upsampled_at_once_over_three_streams():
    grid = fcn()
    up = {c.name: c.unit for c in grid if c.kind == "upsampling"}
    assert up == {
        "up_4_1": (Upsample("bilinear", 2),),
        "up_3_1": (Upsample("bilinear", 2),),
        "up_0_1_from_3_1": (Upsample("bilinear", 8),),
    }
    assert {grid.channels_of(FeatureMap(i, 1)) for i in (0, 3, 4, 5)} == {21}


def test_a_prediction_is_the_sum_of_three_paths():
    assert count(fcn()).paths == 3
