import pytest

from gridgen.grid import FUSIONS, UNITS
from gridgen.grid.ends import HEADS, STEMS
from gridgen.grid.layers import (
    BatchNorm,
    Conv,
    Deconv,
    MaxPool,
    PReLU,
    ReLU,
    Residual,
    Upsample,
    cost,
)
from gridgen.grid.units import SHORTCUTS

ALL_UNITS = [(kind, name) for kind, table in UNITS.items() for name in table]
CHANNELS = {"lateral": (6, 6), "subsampling": (6, 10), "upsampling": (10, 6)}
SIZES = {"lateral": (8, 12), "subsampling": (4, 6), "upsampling": (16, 24)}


@pytest.mark.parametrize(("kind", "name"), ALL_UNITS)
def test_a_unit_ends_with_the_shape_of_its_kind(kind, name):
    channels_in, channels_out = CHANNELS[kind]
    layers = UNITS[kind][name](channels_in, channels_out)
    assert cost(layers, (channels_in, 8, 12)).shape == (channels_out, *SIZES[kind])


@pytest.mark.parametrize(("kind", "name"), ALL_UNITS)
def test_a_units_layers_take_the_channels_that_reach_them(kind, name):
    channels, channels_out = CHANNELS[kind]
    for layer in UNITS[kind][name](channels, channels_out):
        expected = getattr(layer, "channels_in", getattr(layer, "channels", channels))
        assert expected == channels
        channels = layer.out((channels, 8, 8))[0]


@pytest.mark.parametrize(("kind", "name"), ALL_UNITS)
def test_a_unit_works_at_one_channel(kind, name):
    assert cost(UNITS[kind][name](1, 1), (1, 2, 2)).parameters > 0


@pytest.mark.parametrize(("kind", "name"), ALL_UNITS)
def test_no_unit_rectifies_the_shared_map_before_anything_else(kind, name):
    layers = UNITS[kind][name](4, 4)
    first = next(layer for layer in layers if not isinstance(layer, MaxPool))
    assert not isinstance(first, ReLU)


@pytest.mark.parametrize("kind", SHORTCUTS)
def test_a_shortcut_ends_with_the_shape_of_its_kind(kind):
    channels_in, channels_out = CHANNELS[kind]
    layers = SHORTCUTS[kind](channels_in, channels_out)
    assert cost(layers, (channels_in, 8, 12)).shape == (channels_out, *SIZES[kind])


@pytest.mark.parametrize("name", FUSIONS)
@pytest.mark.parametrize("arrivals", [0, 1, 2, 3])
def test_a_fusion_ends_with_the_channels_of_the_map(name, arrivals):
    fusion = FUSIONS[name]
    joined = 5 * arrivals if fusion.join == "concat" else 5
    assert cost(fusion.after(arrivals, 5), (joined or 5, 4, 4)).shape == (5, 4, 4)


@pytest.mark.parametrize("name", STEMS)
def test_a_stem_leads_from_the_image_to_the_base_channels(name):
    assert cost(STEMS[name](3, 7), (3, 8, 12)).shape == (7, 8, 12)


@pytest.mark.parametrize("name", HEADS)
def test_a_head_leads_from_the_base_channels_to_the_classes(name):
    assert cost(HEADS[name](7, 5), (7, 8, 12)).shape == (5, 8, 12)


def test_the_papers_units_layer_by_layer():
    assert UNITS["lateral"]["residual"](4, 4) == (
        *(BatchNorm(4), ReLU(), Conv(4, 4)),
        *(BatchNorm(4), ReLU(), Conv(4, 4)),
    )
    assert UNITS["subsampling"]["strided"](4, 8) == (
        *(BatchNorm(4), ReLU(), Conv(4, 8, stride=2)),
        *(BatchNorm(8), ReLU(), Conv(8, 8)),
    )
    assert UNITS["upsampling"]["deconv"](8, 4) == (
        *(BatchNorm(8), ReLU(), Deconv(8, 4, stride=2)),
        *(BatchNorm(4), ReLU(), Deconv(4, 4)),
    )


def test_the_papers_stem_and_head_layer_by_layer():
    assert STEMS["conv"](3, 16) == (
        BatchNorm(3),
        *(Conv(3, 16), BatchNorm(16), ReLU()),
        *(Conv(16, 16), BatchNorm(16), ReLU()),
    )
    assert HEADS["deconv"](16, 19) == (
        *(Deconv(16, 19), BatchNorm(19), ReLU()),
        *(Deconv(19, 19), BatchNorm(19)),
    )


@pytest.mark.parametrize("f", [1, 4, 16])
def test_the_papers_units_have_the_parameters_of_the_formulas(f):
    def parameters(layers):
        return sum(layer.parameters for layer in layers)

    assert parameters(UNITS["lateral"]["residual"](f, f)) == 18 * f**2 + 6 * f
    assert parameters(UNITS["subsampling"]["strided"](f, 2 * f)) == 54 * f**2 + 10 * f
    assert parameters(UNITS["upsampling"]["deconv"](2 * f, f)) == 27 * f**2 + 8 * f


def test_a_bottleneck_has_about_17_of_288_of_the_residual_units_weights():
    def weights(name):
        convolutions = [layer for layer in UNITS["lateral"][name](64, 64) if type(layer) is Conv]
        return sum(layer.parameters - layer.channels_out for layer in convolutions)

    assert weights("bottleneck") * 288 == weights("residual") * 17


def test_the_restoration_units_layer_by_layer():
    assert UNITS["lateral"]["residual-prelu"](4, 4) == (PReLU(4), Conv(4, 4)) * 2
    assert UNITS["subsampling"]["strided-prelu"](4, 8) == (
        *(PReLU(4), Conv(4, 8, stride=2)),
        *(PReLU(8), Conv(8, 8)),
    )
    assert UNITS["upsampling"]["bilinear-prelu"](8, 4) == (
        Upsample("bilinear"),
        *(PReLU(8), Conv(8, 4)),
        *(PReLU(4), Conv(4, 4)),
    )


def test_the_restoration_ends_are_blocks_beside_a_1x1_shortcut():
    assert STEMS["prelu"](3, 32) == (
        Residual((Conv(3, 32), PReLU(32), Conv(32, 32)), (Conv(3, 32, kernel=1),)),
    )
    assert HEADS["prelu"](32, 3) == (
        Residual((Conv(32, 32), PReLU(32), Conv(32, 3)), (Conv(32, 3, kernel=1),)),
    )
