"""Signals, images and volumes: one spec in one, two and three dimensions."""

import pytest
from hypothesis import given, strategies as st
from strategies import specs, topologies_for

from gridgen.analysis import count
from gridgen.analysis.receptive import receptive_field
from gridgen.analysis.sizes import default_size, legal_size
from gridgen.errors import SizeError, SpecError
from gridgen.grid import build_grid, prune
from gridgen.grid.ends import HEADS, STEMS
from gridgen.grid.layers import cost
from gridgen.spec import GridSpec
from tests.oracles import closed_form

FAMILY = {"streams": 4, "columns": "2+3", "base_channels": 6, "classes": 5}


@given(specs(max_streams=4), st.sampled_from([1, 3]), st.data())
def test_the_graph_and_the_receptive_field_have_no_dimensions(spec, dimensions, data):
    topology = data.draw(st.sampled_from(topologies_for(spec)))
    flat, other = (
        prune(build_grid(spec.but(dimensions=sides)), topology) for sides in (2, dimensions)
    )
    assert [each.name for each in flat] == [each.name for each in other]
    assert receptive_field(flat) == receptive_field(other)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_the_closed_forms_hold_in_every_number_of_dimensions(dimensions):
    """The sums of `docs/counting.md` with 3^d weights a kernel and 2^d places a halving.

    Of stream i: F_i = 2^i F channels, V_i = V / 2^(d i) places; s + u - 1 lateral units, s
    subsampling units to the next stream and u upsampling units from it.
    """
    sides = (16, 32, 8)[:dimensions]
    places, kernel, halving = 1, 3**dimensions, 2**dimensions
    for side in sides:
        places *= side
    streams, sub, up, base = 4, 2, 3, 6
    laterals = sub + up - 1
    channels = [base << i for i in range(streams)]
    volumes = [places // halving**i for i in range(streams)]
    weights = activations = macs = 0
    for i, (f, v) in enumerate(zip(channels, volumes, strict=True)):
        weights += laterals * 2 * kernel * f * f
        activations += laterals * 6 * f * v
        macs += laterals * 2 * kernel * f * f * v
        if i + 1 < streams:
            g, w = channels[i + 1], volumes[i + 1]
            weights += (sub + up) * kernel * f * g + sub * kernel * g * g + up * kernel * f * f
            activations += sub * (2 * f * v + 4 * g * w) + up * (2 * g * w + 4 * f * v)
            macs += sub * kernel * (f * g + g * g) * w + up * kernel * (g * f * w + f * f * v)
    spec = GridSpec(**FAMILY, dimensions=dimensions)
    counted = count(build_grid(spec), sides)
    others = counted.parameters.grid - weights  # biases and BN, which have no kernel
    images = count(build_grid(GridSpec(**FAMILY)), (8, 8)).parameters.grid
    bare = closed_form.grid_parameters(streams, base, sub, up, biases=False, norms=False)
    assert others == images - bare
    assert (counted.activations.grid, counted.macs.grid) == (activations, macs)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("head", HEADS)
def test_every_head_undoes_the_stride_of_every_stem(stem, head, dimensions):
    spec = GridSpec(**FAMILY, stem=stem, head=head, dimensions=dimensions)
    grid = build_grid(spec)
    size = (spec.multiple,) * dimensions
    after = cost(grid.stem, (3, *size)).shape
    assert after == (6, *(side // spec.stride for side in size))
    assert cost(grid.head, after).shape == (5, *size)


def test_a_strided_stem_asks_for_twice_the_multiple():
    spec = GridSpec(**FAMILY, stem="strided")
    assert (spec.multiple, build_grid(spec).spec.multiple) == (16, 16)
    with pytest.raises(SizeError) as caught:
        legal_size(spec, (24, 40))
    assert str(caught.value) == (
        "Image is 24x40; 4 streams after a stem of stride 2 need multiples of 16. "
        "Pad to 32x48, crop to 16x32, or set size: pad."
    )


def test_a_strided_stem_takes_three_quarters_of_the_cost_away():
    spec = GridSpec(streams=5, columns="3+3", base_channels=16, classes=11)
    whole, halved = (
        count(build_grid(spec.but(stem=stem, head="conv")), (352, 480)).macs.grid
        for stem in ("conv", "strided")
    )
    assert halved * 4 == whole


@pytest.mark.parametrize(
    ("dimensions", "size", "message"),
    [
        (2, (64, 64, 32), "64x64x32 is no size for 2 dimensions; give height, width: 360x480."),
        (3, (64, 64), "64x64 is no size for 3 dimensions; give depth, height, width: 64x64x32."),
        (1, (64, 64), "64x64 is no size for 1 dimension; give length: 4096."),
    ],
)
def test_a_size_of_other_dimensions_is_refused(dimensions, size, message):
    with pytest.raises(SizeError) as caught:
        count(build_grid(GridSpec(**FAMILY, dimensions=dimensions)), size)
    assert str(caught.value) == message


def test_without_a_size_each_number_of_dimensions_has_its_own():
    sizes = [default_size(GridSpec(**FAMILY, dimensions=sides)) for sides in (1, 2, 3)]
    assert sizes == [(4096,), (400, 400), (64, 64, 64)]


@pytest.mark.parametrize("dimensions", [0, 4, 1.5, "3d"])
def test_other_dimensions_are_refused(dimensions):
    with pytest.raises(SpecError, match=r"^dimensions: "):
        GridSpec(**FAMILY, dimensions=dimensions)
