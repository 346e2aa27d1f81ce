from gridgen import build_grid, count
from gridgen.architectures.deconvnet import DeconvNet
from gridgen.grid import FeatureMap
from gridgen.grid.layers import Deconv, MaxUnpool
from gridgen.grid.tracing import trace


def deconvnet(**fields):
    return build_grid(DeconvNet(architecture="deconvnet", **fields))


def test_the_parameters_are_those_of_vgg_16_with_bn_and_of_its_mirror_image():
    down = 14_714_688 + 2 * 4_224
    middle = 49 * 512 * 4096 + 4096**2 + 2 * 3 * 4096 + 49 * 4096 * 512 + 3 * 512
    up = 14_745_600 + 3 * 3_776
    assert down + middle + up + 64 * 21 + 21 == 251_805_653
    assert count(deconvnet()).parameters.total == 251_805_653


def test_the_network_is_one_path():
    grid = deconvnet()
    assert count(grid, (224, 224)).paths == 1
    assert len(grid.connections) == len(grid.maps) - 1 == 13


def test_every_pooling_is_undone_where_its_maxima_were():
    unpooled = {c.name: (c.unit[0], c.auxiliary) for c in deconvnet() if c.auxiliary}
    assert unpooled == {
        f"up_{i}_1": (MaxUnpool(f"sub_{i + 1}_0"), FeatureMap(i, 0)) for i in range(5)
    }


def test_the_way_up_narrows_in_the_last_deconvolution_of_a_row():
    up = [c for c in deconvnet() if c.auxiliary]
    rows = [[layer.channels_out for layer in c.unit if isinstance(layer, Deconv)] for c in up]
    assert rows == [[512] * 3, [512, 512, 256], [256, 256, 128], [128, 64], [64, 64]]


def test_images_of_224_meet_a_single_place_at_the_bottom():
    grid = deconvnet()
    assert grid.spec.least == 224
    assert trace(grid, (224, 256)).shapes[FeatureMap(6, 0)] == (4096, 1, 2)
