import pytest

from gridgen.architectures import load_spec
from gridgen.errors import UsageError
from gridgen.grid import FUSIONS, UNITS, build_grid
from gridgen.grid.ends import HEADS, STEMS
from gridgen.grid.fusions import Fusion, nothing
from gridgen.grid.layers import (
    BatchNorm,
    Conv,
    Deconv,
    GroupNorm,
    MaxPool,
    PReLU,
    ReLU,
    Residual,
    SiLU,
    Upsample,
    cost,
)
from gridgen.grid.styles import ACTIVATIONS, NORMS, Style, group
from gridgen.grid.units import SHORTCUTS, unit_layers
from gridgen.spec import GridSpec
from gridgen.testing import (
    check_activation,
    check_fusion,
    check_head,
    check_norm,
    check_stem,
    check_unit,
)
from tests.unchanged.networks import PRELU

SUITES = {
    check_head: HEADS,
    check_norm: NORMS,
    check_activation: ACTIVATIONS,
    check_fusion: FUSIONS,
}
STRIDES = {"conv": 1, "residual": 1, "strided": 2}
"""By hand: what stands in `STEM_STRIDES` is what is tested."""
PAPER = Style()
CONVOLUTION = Conv | Deconv
ALL_UNITS = [(kind, name) for kind, table in UNITS.items() for name in table]
CHANNELS = {"lateral": (6, 6), "subsampling": (6, 10), "upsampling": (10, 6)}
SIZES = {"lateral": (8, 12), "subsampling": (4, 6), "upsampling": (16, 24)}


@pytest.mark.parametrize(("kind", "name"), ALL_UNITS)
def test_every_unit_holds_its_contract(kind, name):
    check_unit(UNITS[kind][name], kind)


@pytest.mark.parametrize("name", STEMS)
def test_every_stem_holds_its_contract(name):
    check_stem(STEMS[name], STRIDES[name])


@pytest.mark.parametrize(
    ("check", "member"),
    [
        pytest.param(check, member, id=f"{check.__name__} {name}")
        for check, table in SUITES.items()
        for name, member in table.items()
    ],
)
def test_every_other_member_holds_its_contract(check, member):
    check(member)


@pytest.mark.parametrize(("kind", "name"), ALL_UNITS)
def test_a_unit_has_weights_at_one_channel(kind, name):
    assert cost(UNITS[kind][name](PAPER, 1, 1), (1, 2, 2)).parameters > 0


@pytest.mark.parametrize(("kind", "name"), ALL_UNITS)
def test_no_unit_rectifies_the_shared_map_before_anything_else(kind, name):
    layers = UNITS[kind][name](PAPER, 4, 4)
    first = next(layer for layer in layers if not isinstance(layer, MaxPool))
    assert not isinstance(first, ReLU)


@pytest.mark.parametrize("kind", SHORTCUTS)
def test_a_shortcut_ends_with_the_shape_of_its_kind(kind):
    channels_in, channels_out = CHANNELS[kind]
    layers = SHORTCUTS[kind](channels_in, channels_out)
    assert cost(layers, (channels_in, 8, 12)).shape == (channels_out, *SIZES[kind])


def test_the_papers_units_layer_by_layer():
    assert UNITS["lateral"]["residual"](PAPER, 4, 4) == (
        *(BatchNorm(4), ReLU(), Conv(4, 4)),
        *(BatchNorm(4), ReLU(), Conv(4, 4)),
    )
    assert UNITS["subsampling"]["strided"](PAPER, 4, 8) == (
        *(BatchNorm(4), ReLU(), Conv(4, 8, stride=2)),
        *(BatchNorm(8), ReLU(), Conv(8, 8)),
    )
    assert UNITS["upsampling"]["deconv"](PAPER, 8, 4) == (
        *(BatchNorm(8), ReLU(), Deconv(8, 4, stride=2)),
        *(BatchNorm(4), ReLU(), Deconv(4, 4)),
    )


def test_the_papers_stem_and_head_layer_by_layer():
    assert STEMS["conv"](PAPER, 3, 16) == (
        BatchNorm(3),
        *(Conv(3, 16), BatchNorm(16), ReLU()),
        *(Conv(16, 16), BatchNorm(16), ReLU()),
    )
    assert HEADS["deconv"](PAPER, 16, 19, 1) == (
        *(Deconv(16, 19), BatchNorm(19), ReLU()),
        *(Deconv(19, 19), BatchNorm(19)),
    )


@pytest.mark.parametrize("f", [1, 4, 16])
def test_the_papers_units_have_the_parameters_of_the_formulas(f):
    def parameters(layers):
        return sum(layer.parameters for layer in layers)

    assert parameters(UNITS["lateral"]["residual"](PAPER, f, f)) == 18 * f**2 + 6 * f
    assert parameters(UNITS["subsampling"]["strided"](PAPER, f, 2 * f)) == 54 * f**2 + 10 * f
    assert parameters(UNITS["upsampling"]["deconv"](PAPER, 2 * f, f)) == 27 * f**2 + 8 * f


def test_a_bottleneck_has_about_17_of_288_of_the_residual_units_weights():
    def weights(name):
        convolutions = [
            layer for layer in UNITS["lateral"][name](PAPER, 64, 64) if type(layer) is Conv
        ]
        return sum(layer.parameters - layer.channels_out for layer in convolutions)

    assert weights("bottleneck") * 288 == weights("residual") * 17


def test_depthwise_separable_units_layer_by_layer():
    bare = Style("none", "silu")
    assert (
        UNITS["lateral"]["separable"](bare, 4, 4)
        == (
            *(SiLU(), Conv(4, 4, groups=4)),
            *(SiLU(), Conv(4, 4, kernel=1)),
        )
        * 2
    )
    assert UNITS["subsampling"]["separable"](bare, 4, 8) == (
        *(SiLU(), Conv(4, 4, stride=2, groups=4)),
        *(SiLU(), Conv(4, 8, kernel=1)),
        *(SiLU(), Conv(8, 8, groups=8)),
        *(SiLU(), Conv(8, 8, kernel=1)),
    )
    assert UNITS["upsampling"]["separable"](bare, 8, 4)[:2] == (Upsample("bilinear"), SiLU())


def test_a_separable_unit_has_the_share_of_weights_that_it_promises():
    def weights(name):
        convolutions = UNITS["lateral"][name](Style("none"), 64, 64)
        return sum(x.parameters - x.channels_out for x in convolutions if type(x) is Conv)

    assert weights("separable") * 9 * 64 == weights("residual") * (64 + 9)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("kind", "name"), ALL_UNITS)
def test_a_unit_normalizes_and_activates_as_the_style_says(kind, name, norm, activation):
    ends = CHANNELS[kind]
    convolutions = [
        x for x in unit_layers(kind, name, Style(), *ends) if isinstance(x, CONVOLUTION)
    ]
    expected = []
    for layer in convolutions:
        expected += [*NORMS[norm](layer.channels_in), ACTIVATIONS[activation](layer.channels_in)]
        expected.append(layer)
    found = unit_layers(kind, name, Style(norm, activation), *ends)
    assert [layer for layer in found if not isinstance(layer, MaxPool | Upsample)] == expected


@pytest.mark.parametrize(
    ("channels", "groups"), [(1, 1), (15, 1), (16, 1), (31, 1), (32, 2), (40, 2), (33, 1), (48, 3)]
)
def test_a_group_has_16_channels_or_the_next_number_that_divides(channels, groups):
    assert group(channels) == (GroupNorm(channels, groups),)


def test_the_image_and_the_logits_are_normalized_by_batch_alone():
    for norm in ("instance", "group", "none"):
        stem, head = STEMS["conv"](Style(norm), 3, 8), HEADS["deconv"](Style(norm), 8, 3, 1)
        assert (stem[0], head[-1]) == (Conv(3, 8), Deconv(3, 3))


def test_the_units_of_restoration_layer_by_layer():
    sloped = Style("none", "prelu")
    assert UNITS["lateral"]["residual"](sloped, 4, 4) == (PReLU(4), Conv(4, 4)) * 2
    assert UNITS["upsampling"]["bilinear"](sloped, 8, 4) == (
        Upsample("bilinear"),
        *(PReLU(8), Conv(8, 4)),
        *(PReLU(4), Conv(4, 4)),
    )
    assert STEMS["residual"](sloped, 3, 32) == (
        Residual((Conv(3, 32), PReLU(32), Conv(32, 32)), (Conv(3, 32, kernel=1),)),
    )
    assert HEADS["residual"](sloped, 32, 3, 1) == (
        Residual((Conv(32, 32), PReLU(32), Conv(32, 3)), (Conv(32, 3, kernel=1),)),
    )


def test_names_of_older_files_mean_what_they_meant():
    today = {
        "units": {"upsampling": "bilinear"},
        "stem": "residual",
        "head": "residual",
        "norm": "none",
        "activation": "prelu",
    }
    shared = {"streams": 2, "columns": "1+1", "base_channels": 4, "classes": 3}
    before, after = (build_grid(GridSpec(**shared, **more)) for more in (PRELU, today))
    assert list(before.parts()) == list(after.parts())


@pytest.mark.parametrize("given", [None, [Conv(8, 8)], ("conv",)])
def test_what_a_unit_of_ones_own_gives_instead_of_layers_is_told(given, monkeypatch):
    monkeypatch.setitem(UNITS["lateral"], "mine", lambda *_: given)
    with pytest.raises(UsageError, match="is no tuple of layers such as"):
        build_grid(load_spec("specs/unet-small.yaml", units={"lateral": "mine"}))


def test_a_fusion_joins_in_one_of_three_ways():
    with pytest.raises(UsageError, match="unknown join 'max'"):
        Fusion("the greatest", "max", nothing)
