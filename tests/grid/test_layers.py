from dataclasses import FrozenInstanceError

import pytest
import torch
from hypothesis import given, settings, strategies as st

from gridgen.emit.lowering import lower
from gridgen.errors import GridError, unknown
from gridgen.grid.layers import (
    AveragePool,
    BatchNorm,
    Conv,
    Cost,
    Deconv,
    GroupNorm,
    MaxPool,
    MaxUnpool,
    PReLU,
    ReLU,
    Residual,
    Resize,
    SiLU,
    Upsample,
    channels_after,
    cost,
)
from gridgen.testing.oracles import measured

SHAPE = (4, 6, 10)


@pytest.mark.parametrize(
    ("layer", "shape", "parameters", "macs"),
    [
        (Conv(4, 8), (8, 6, 10), (9 * 4 + 1) * 8, 9 * 4 * 8 * 60),
        (Conv(4, 8, stride=2), (8, 3, 5), (9 * 4 + 1) * 8, 9 * 4 * 8 * 15),
        (Conv(4, 8, kernel=1), (8, 6, 10), (4 + 1) * 8, 4 * 8 * 60),
        (Conv(4, 8, dilation=4), (8, 6, 10), (9 * 4 + 1) * 8, 9 * 4 * 8 * 60),
        (Conv(4, 8, groups=2, bias=False), (8, 6, 10), 9 * 2 * 8, 9 * 2 * 8 * 60),
        (Conv(4, 4, groups=4), SHAPE, (9 + 1) * 4, 9 * 4 * 60),
        (Conv(4, 8, kernel=5, valid=True), (8, 2, 6), (25 * 4 + 1) * 8, 25 * 4 * 8 * 12),
        (Conv(4, 8, dilation=2, valid=True), (8, 2, 6), (9 * 4 + 1) * 8, 9 * 4 * 8 * 12),
        (Deconv(4, 8), (8, 6, 10), (9 * 4 + 1) * 8, 9 * 4 * 8 * 60),
        (Deconv(4, 8, stride=2), (8, 12, 20), (9 * 4 + 1) * 8, 9 * 4 * 8 * 60),
        (Deconv(4, 8, stride=2, kernel=2), (8, 12, 20), (4 * 4 + 1) * 8, 4 * 4 * 8 * 60),
        (Deconv(4, 8, 8, kernel=16, bias=False), (8, 48, 80), 256 * 4 * 8, 256 * 4 * 8 * 60),
        (Deconv(4, 8, kernel=7, valid=True), (8, 12, 16), (49 * 4 + 1) * 8, 49 * 4 * 8 * 60),
        (BatchNorm(4), SHAPE, 8, 0),
        (GroupNorm(4, 2), SHAPE, 8, 0),
        (ReLU(), SHAPE, 0, 0),
        (SiLU(), SHAPE, 0, 0),
        (PReLU(), SHAPE, 1, 0),
        (PReLU(4), SHAPE, 4, 0),
        (MaxPool(), (4, 3, 5), 0, 0),
        (MaxPool(3, 2), (4, 3, 5), 0, 0),
        (MaxPool(5, 1), SHAPE, 0, 0),
        (MaxPool(4, 4), (4, 2, 3), 0, 0),
        (MaxPool(16, 16), (4, 1, 1), 0, 0),
        (AveragePool(3), (4, 3, 3), 0, 0),
        (Upsample(), (4, 12, 20), 0, 0),
        (Upsample("bilinear"), (4, 12, 20), 0, 0),
        (Upsample("bilinear", 8), (4, 48, 80), 0, 0),
        (MaxUnpool("sub_1_0"), (4, 12, 20), 0, 0),
        (Residual((Conv(4, 8), ReLU(), Conv(8, 4))), SHAPE, 2 * 288 + 12, 2 * 288 * 60),
        (Residual((Conv(4, 8),), (Conv(4, 8, 1),)), (8, 6, 10), 296 + 40, (288 + 32) * 60),
    ],
)
def test_a_layer_knows_its_shape_parameters_and_macs(layer, shape, parameters, macs):
    assert layer.out(SHAPE) == shape
    assert layer.parameters == parameters
    assert layer.macs(SHAPE) == macs


@pytest.mark.parametrize(
    "layer", [Conv(1, 1, stride=2), Conv(1, 1, 7, stride=2), MaxPool(), MaxPool(3, 2)]
)
def test_odd_sides_are_halved_upwards(layer):
    assert layer.out((1, 45, 1)) == (1, 23, 1)


def test_layers_are_frozen_and_equal_by_value():
    assert Conv(4, 8) == Conv(4, 8)
    assert len({Conv(4, 8), Conv(4, 8), Deconv(4, 8)}) == 2
    with pytest.raises(FrozenInstanceError):
        Conv(4, 8).stride = 2


def test_the_cost_of_a_sequence_follows_its_shape():
    found = cost((BatchNorm(4), Conv(4, 8, stride=2), ReLU()), SHAPE)
    assert found.shape == (8, 3, 5)
    assert found.parameters == 8 + 37 * 8
    assert found.activations == 4 * 60 + 8 * 15 + 8 * 15
    assert found.macs == 36 * 8 * 15


def test_no_layers_cost_nothing():
    found = cost((), SHAPE)
    assert (found.parameters, found.activations, found.macs, found.shape) == (0, 0, 0, SHAPE)


def cost_in_torch(layers, shape, seen=None) -> Cost:
    """What the module of `layers` costs, as torch itself sees it."""
    with torch.device("meta"):
        module = lower(layers).eval()
        image = torch.empty(1, *shape)
        further = [] if seen is None else [torch.empty(1, *seen)]
    out = module(image, *further).shape[1:]
    parameters = sum(p.numel() for p in module.parameters())
    return Cost(parameters, *measured(module, image, *further), tuple(out))


def agrees(layer, shape) -> bool:
    """Whether a record says what its module does."""
    found = cost_in_torch((layer,), shape)
    said = Cost(layer.parameters, found.activations, layer.macs(shape), layer.out(shape))
    assert said == found
    assert cost((layer,), shape) == found
    return channels_after((layer,), shape[0]) == found.shape[0]


SIDES = st.integers(1, 40)
SMALL = st.integers(1, 4)
ODD = st.sampled_from([1, 3, 5, 7])
MODES = st.sampled_from(["nearest", "bilinear"])


def shapes(channels, least: int = 1):
    sides = st.integers(least, least + 40)
    return st.tuples(st.just(channels), sides, sides)


@settings(max_examples=40)
@given(st.data(), ODD, SMALL, SMALL, SMALL, st.booleans())
def test_a_convolution_is_that_of_torch(data, kernel, stride, dilation, groups, bias):
    channels = [groups * data.draw(SMALL) for _ in range(2)]
    layer = Conv(*channels, kernel, stride, dilation, groups, bias)
    assert agrees(layer, data.draw(shapes(channels[0])))


@settings(max_examples=40)
@given(st.data(), st.integers(1, 7), SMALL, SMALL, st.booleans())
def test_a_valid_convolution_is_that_of_torch(data, kernel, stride, dilation, bias):
    layer = Conv(3, 2, kernel, stride, dilation, bias=bias, valid=True)
    assert agrees(layer, data.draw(shapes(3, dilation * (kernel - 1) + 1)))


@settings(max_examples=40)
@given(st.data(), st.integers(1, 8), st.integers(0, 9), st.booleans())
def test_a_transposed_convolution_is_that_of_torch(data, stride, more, bias):
    kernel = stride + (more // 2 * 2 if stride == 1 else more - 1)
    layer = Deconv(2, 3, stride, kernel, bias)
    shape = data.draw(shapes(2))
    assert layer.out(shape)[1:] == (stride * shape[1], stride * shape[2])
    assert layer.padding >= 0
    assert layer.output_padding in (0, 1)
    assert agrees(layer, shape)


def test_a_transposed_convolution_is_padded_as_its_docstring_says():
    paddings = [(x.padding, x.output_padding) for x in (Deconv(1, 1), Deconv(1, 1, stride=2))]
    assert paddings == [(1, 0), (1, 1)]
    valid = Deconv(1, 1, 2, kernel=5, valid=True)
    assert (valid.padding, valid.output_padding) == (0, 0)


@settings(max_examples=20)
@given(st.data(), SMALL, st.integers(1, 8), st.booleans())
def test_a_valid_transposed_convolution_is_that_of_torch(data, stride, kernel, bias):
    layer = Deconv(2, 3, stride, kernel, bias, valid=True)
    assert agrees(layer, data.draw(shapes(2, least=4)))


@settings(max_examples=20)
@given(st.data(), SMALL, SMALL)
def test_normalizations_and_activations_are_those_of_torch(data, groups, each):
    channels = groups * each
    layers = BatchNorm(channels), GroupNorm(channels, groups), PReLU(), PReLU(channels)
    shape = data.draw(shapes(channels, least=2))
    for layer in (*layers, ReLU(), SiLU()):
        assert agrees(layer, shape)
        assert layer.out(shape) == shape


@settings(max_examples=40)
@given(st.data(), st.integers(1, 9))
def test_a_maximum_over_a_division_is_that_of_torch(data, kernel):
    assert agrees(MaxPool(kernel, kernel), data.draw(shapes(2)))


@settings(max_examples=40)
@given(st.data(), ODD, SMALL)
def test_a_maximum_over_windows_that_overlap_is_that_of_torch(data, kernel, stride):
    assert agrees(MaxPool(kernel, stride), data.draw(shapes(2)))


@pytest.mark.parametrize("times", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(16, 32), (45, 31), (5, 1)], ids=str)
def test_a_maximum_over_a_power_of_two_is_as_many_of_two(times, size):
    x = torch.rand(1, 2, *size, generator=torch.Generator().manual_seed(0))
    one, many = MaxPool(2**times, 2**times), (MaxPool(),) * times
    assert torch.equal(lower((one,))(x), lower(many)(x))
    assert one.out((2, *size)) == cost(many, (2, *size)).shape


@settings(max_examples=20)
@given(st.data(), st.integers(1, 9))
def test_a_mean_over_bins_is_that_of_torch(data, bins):
    shape = data.draw(shapes(3))
    assert agrees(AveragePool(bins), shape)
    assert AveragePool(bins).out(shape) == (3, bins, bins)


@settings(max_examples=20)
@given(st.data(), MODES, st.integers(1, 16))
def test_an_upsampling_by_any_factor_is_that_of_torch(data, mode, factor):
    shape = data.draw(shapes(2))
    assert agrees(Upsample(mode, factor), shape)


@settings(max_examples=20)
@given(st.data(), MODES)
def test_a_resizing_ends_at_the_size_that_it_looks_at(data, mode):
    shape, seen = data.draw(shapes(3)), data.draw(shapes(5))
    layers = (Resize(mode),)
    assert cost(layers, shape, seen) == cost_in_torch(layers, shape, seen)
    assert cost(layers, shape, seen).shape == (3, *seen[1:])


@settings(max_examples=20)
@given(st.data())
def test_an_unpooling_ends_at_twice_the_size(data):
    shape = data.draw(shapes(3))
    seen = 3, 2 * shape[1], 2 * shape[2]
    layers = (MaxUnpool("sub_1_0"), Conv(3, 4))
    assert cost(layers, shape, seen) == cost_in_torch(layers, shape, seen)
    assert cost(layers, shape, seen).shape == (4, *seen[1:])


@st.composite
def sequences(draw, channels: int, depth: int = 2):
    """Layers that keep the size, residual blocks in residual blocks among them."""
    layers = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["conv", "norm", "act", "pool", "residual"][: 3 + depth]))
        if kind == "conv":
            after = draw(SMALL)
            layers.append(Conv(channels, after, draw(ODD), dilation=draw(SMALL)))
            channels = after
        elif kind == "residual":
            inner, inner_channels = draw(sequences(channels, depth=depth - 1))
            project = inner_channels != channels or draw(st.booleans())
            layers.append(Residual(inner, (Conv(channels, inner_channels, 1),) if project else ()))
            channels = inner_channels
        else:
            plain = {"norm": BatchNorm(channels), "act": SiLU(), "pool": MaxPool(5, 1)}
            layers.append(plain[kind])
    return tuple(layers), channels


@settings(max_examples=25)
@given(sequences(3), SIDES, SIDES)
def test_a_residual_block_costs_its_layers_and_its_shortcut(sequence, height, width):
    layers, channels = sequence
    shape = 3, height, width
    bare = cost(layers, shape)
    assert bare == cost_in_torch(layers, shape)
    assert channels_after(layers, 3) == bare.shape[0] == channels
    shortcut = (Conv(3, channels, 1, bias=False),)
    assert agrees(Residual(layers, shortcut), shape)
    projected, further = cost((Residual(layers, shortcut),), shape), cost(shortcut, shape)
    assert projected.parameters == bare.parameters + further.parameters
    assert projected.activations == bare.activations + further.activations
    assert projected.macs == bare.macs + further.macs
    if channels == 3:
        assert cost((Residual(layers),), shape) == bare


@settings(max_examples=20)
@given(st.data(), st.sampled_from([1, 2]))
def test_a_residual_block_may_halve_the_size(data, stride):
    layers = Conv(2, 4, stride=stride), BatchNorm(4), ReLU(), Conv(4, 4, dilation=2)
    block = Residual(layers, (Conv(2, 4, 1, stride=stride), BatchNorm(4)))
    assert agrees(block, data.draw(shapes(2)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Conv(6, 6, groups=4),
            "6 and 6 channels are not both divisible by 4 groups",
        ),
        (lambda: GroupNorm(6, 4), "6 channels are not divisible by 4 groups"),
        (
            lambda: Upsample("bilnear"),
            unknown("interpolation", "bilnear", ["bilinear"]),
        ),
        (
            lambda: Resize("cubic"),
            unknown("interpolation", "cubic", ["bilinear", "nearest"]),
        ),
        (
            lambda: Deconv(1, 1, 1, kernel=2),
            "no padding makes a 2x2 transposed convolution of stride 1 multiply the size by that; "
            "use an odd or a larger kernel, or valid",
        ),
    ],
)
def test_a_layer_that_torch_would_refuse_cannot_be_made(make, message):
    with pytest.raises(GridError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize("fields", [{"stride": 0}, {"kernel": 0}, {"groups": 0}, {"dilation": -1}])
def test_measures_of_a_convolution_are_positive(fields):
    with pytest.raises(GridError, match="kernel, stride, dilation and groups must be at least 1"):
        Conv(2, 2, **fields)
