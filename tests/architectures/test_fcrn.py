import pytest

from gridgen import build_grid, count, receptive_field
from gridgen.architectures.fcrn import Fcrn
from gridgen.architectures.pspnet import Pspnet
from gridgen.grid import FeatureMap
from gridgen.grid.tracing import trace


def fcrn(**fields):
    return build_grid(Fcrn(architecture="fcrn", **fields))


# Of torchvision's ResNets with their last layer: 25,557,032, 44,549,160 and 60,192,808.
@pytest.mark.parametrize(
    ("depth", "resnet"), [(50, 25_557_032), (101, 44_549_160), (152, 60_192_808)]
)
def test_the_parameters_are_those_of_the_resnet_and_the_classifier(depth, resnet):
    total = resnet - 2_049_000 + 2048 * 19 + 19
    assert count(fcrn(depth=depth)).parameters.total == total


def test_three_subsamplings_are_left():
    assert trace(fcrn(), (64, 128)).shapes[FeatureMap(1, 3)] == (2048, 8, 16)


def test_its_stages_are_those_of_pspnet_with_the_same_stem():
    other = build_grid(Pspnet(architecture="pspnet", stem="resnet"))
    units = {link.name: link.unit for link in other}
    assert all(units[link.name] == link.unit for link in fcrn())
    assert fcrn().stem == other.stem


def test_it_sees_as_far_as_its_dilations_reach():
    # 11 after the stem, then 2 * dilation * step for each 3 x 3: 3 of step 4, 1 of 4 and 3 of 8,
    # 23 of 8 dilated by 2, 3 of 8 dilated by 4; bilinear upsampling reads its neighbours too.
    own = 11 + 2 * (3 * 4 + 4 + 3 * 8 + 23 * 8 * 2 + 3 * 8 * 4)
    assert receptive_field(fcrn()) == own + 8
