from gridgen import build_grid, count
from gridgen.architectures.panet import Panet
from gridgen.grid import FeatureMap
from gridgen.grid.layers import Conv, ReLU


def panet(**fields):
    return build_grid(Panet(architecture="panet", **fields))


def test_it_has_six_convolutions_more_than_fpn():
    assert 28_478_675 + 3 * 2 * (9 * 256**2 + 256) == 32_019_155
    assert count(panet()).parameters.total == 32_019_155


def test_the_image_goes_down_up_and_down_again():
    columns = [
        {c.kind for c in panet() if c.source.column == c.target.column == column}
        for column in range(3)
    ]
    assert columns == [{"subsampling"}, {"upsampling"}, {"subsampling"}]


def test_the_second_way_down_has_a_convolution_before_and_after_the_sum():
    grid = panet()
    assert grid.fusion_layers(FeatureMap(0, 2)) == ()
    for stream in (1, 2, 3):
        target = FeatureMap(stream, 2)
        assert grid.fusion_layers(target) == (Conv(256, 256), ReLU())
        assert [c.name for c in grid.into(target)] == [f"lateral_{stream}_2", f"sub_{stream}_2"]
        assert grid.into(target)[1].unit == (Conv(256, 256, stride=2), ReLU())
