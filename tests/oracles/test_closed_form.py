"""The formulas are the sums over the Grid, and over arrays what they are one by one."""

from functools import reduce
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from strategies import paper_specs

from gridgen.analysis import count
from gridgen.analysis.sizes import MAX_SIDE
from gridgen.errors import GridError, SizeError, TooLargeError
from gridgen.grid import build_grid
from gridgen.grid.layers import BatchNorm, Conv, Deconv
from gridgen.spec import GridSpec
from gridgen.spec.columns import MAX_COLUMNS
from gridgen.spec.gridspec import MAX_CHANNELS, MAX_STREAMS
from tests.oracles import closed_form

NAMES = list(closed_form.FORMULAS)
FAMILY = {"streams": 5, "base_channels": 16, "sub": 3, "up": 3}
ENDS = {"in_channels": 3, "classes": 19}
SIZE = {"height": 400, "width": 400}
PAPER = FAMILY | ENDS | SIZE
MOST_CLASSES = 4096


def arguments(name: str, given: dict) -> dict:
    """What of `given` the formula `name` wants."""
    wanted = getattr(closed_form, name).__annotations__
    return {key: value for key, value in given.items() if key in wanted}


def compute(name: str, given: dict):
    return getattr(closed_form, name)(**arguments(name, given))


def of(spec: GridSpec, height: int, width: int) -> dict:
    return {
        "streams": spec.streams,
        "base_channels": spec.base_channels,
        "sub": spec.sub_columns,
        "up": spec.up_columns,
        "in_channels": spec.in_channels,
        "classes": spec.classes,
        "height": height,
        "width": width,
    }


@settings(max_examples=200)
@given(paper_specs(), st.integers(1, 4), st.integers(1, 4))
def test_the_formulas_equal_the_sums_over_the_grid(spec, tall, wide):
    height, width = tall * spec.multiple, wide * spec.multiple
    counted = count(build_grid(spec), (height, width))
    sums = {
        "grid_parameters": counted.parameters.grid,
        "stem_parameters": counted.parameters.stem,
        "head_parameters": counted.parameters.head,
        "parameters": counted.parameters.total,
        "grid_activations": counted.activations.grid,
        "activations": counted.activations.total,
        "grid_macs": counted.macs.grid,
        "macs": counted.macs.total,
    }
    assert {name: compute(name, of(spec, height, width)) for name in NAMES} == sums


def biases_and_norms(layers) -> tuple[int, int]:
    biases = sum(x.channels_out for x in layers if isinstance(x, Conv | Deconv) and x.bias)
    return biases, sum(x.parameters for x in layers if isinstance(x, BatchNorm))


@given(paper_specs())
def test_biases_and_norms_can_be_left_out(spec):
    grid = build_grid(spec)
    parts = {
        "grid_parameters": [layer for connection in grid for layer in connection.unit],
        "stem_parameters": grid.stem,
        "head_parameters": grid.head,
    }
    parts["parameters"] = reduce(lambda one, other: (*one, *other), parts.values())
    for name, layers in parts.items():
        biases, norms = biases_and_norms(layers)
        total, given = sum(layer.parameters for layer in layers), of(spec, 1, 1)
        formula = getattr(closed_form, name)
        for with_biases, with_norms in product((True, False), repeat=2):
            left_out = biases * (not with_biases) + norms * (not with_norms)
            counted = formula(**arguments(name, given), biases=with_biases, norms=with_norms)
            assert counted == total - left_out


def test_the_papers_network():
    known = {
        "grid_parameters": 13_172_160,
        "parameters": 13_181_097,
        "grid_activations": 278_400_000,
        "activations": 309_440_000,
        "grid_macs": 31_703_040_000,
        "macs": 33_098_400_000,
    }
    assert {name: compute(name, PAPER) for name in known} == known
    assert closed_form.parameters(**FAMILY, **ENDS, biases=False) == 13_171_747
    assert closed_form.grid_parameters(**FAMILY, biases=False, norms=False) == 13_144_320


@pytest.mark.parametrize(("sub", "up"), [(4, 2), (2, 4), (1, 4)])
def test_sub_and_up_columns_do_not_cost_the_same(sub, up):
    family = {"streams": 5, "base_channels": 16}
    one = closed_form.grid_parameters(**family, sub=sub, up=up)
    other = closed_form.grid_parameters(**family, sub=up, up=sub)
    assert one != other
    spec = GridSpec(streams=5, columns=f"{sub}+{up}", base_channels=16, classes=19)
    assert count(build_grid(spec)).parameters.grid == one


LEGAL = st.fixed_dictionaries(
    {
        "streams": st.integers(1, MAX_STREAMS),
        "base_channels": st.integers(1, MAX_CHANNELS),
        "sub": st.integers(1, MAX_COLUMNS),
        "up": st.integers(1, MAX_COLUMNS),
        "in_channels": st.integers(1, 4096),
        "classes": st.integers(1, MOST_CLASSES),
        "height": st.integers(1, 8).map(lambda n: n << 15),
        "width": st.integers(1, 8).map(lambda n: n << 15),
    }
)


@pytest.mark.parametrize("name", NAMES)
@given(rows=st.lists(LEGAL, min_size=1, max_size=6))
def test_arrays_are_what_their_elements_are_or_refused(name, rows):
    """Never a wrong number: what int64 cannot hold is an error, though each argument is legal."""
    columns = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    singly = [compute(name, row) for row in rows]
    try:
        together = compute(name, columns)
    except TooLargeError:
        assert max(singly) > 2**62 * (1 - 1e-9)
    else:
        assert together.dtype == np.int64
        assert together.tolist() == singly


@pytest.mark.parametrize("name", NAMES)
def test_arrays_broadcast(name):
    given = PAPER | {
        "base_channels": np.array([8, 16])[:, None],
        "classes": np.array([1, 2, 19])[:, None, None],
        "sub": [1, 2, 3],
    }
    wanted = arguments(name, given)
    table = getattr(closed_form, name)(**wanted)
    shape = np.broadcast_shapes(*(np.shape(value) for value in wanted.values()))
    assert table.shape == shape
    for place in np.ndindex(shape):
        row = {key: int(np.broadcast_to(value, shape)[place]) for key, value in wanted.items()}
        assert table[place] == getattr(closed_form, name)(**row)


def test_narrow_arrays_do_not_wrap_round():
    base = np.array([200, 255], dtype=np.uint8)
    assert closed_form.parameters(5, base, 3, 3, 3, 19).tolist() == [
        closed_form.parameters(5, 200, 3, 3, 3, 19),
        closed_form.parameters(5, 255, 3, 3, 3, 19),
    ]


def test_ints_have_no_limit():
    assert closed_form.grid_macs(1, 1 << 40, 1, 1, 1 << 40, 1 << 40) == 18 << 160


@pytest.mark.parametrize("streams", range(1, MAX_STREAMS + 1))
def test_parameters_and_activations_of_every_legal_spec_fit_into_arrays(streams):
    largest = {
        "streams": np.array([streams]),
        "base_channels": MAX_CHANNELS >> (streams - 1),
        "sub": np.arange(1, MAX_COLUMNS),
        "up": MAX_COLUMNS - np.arange(1, MAX_COLUMNS),
        "in_channels": 4096,
        "classes": MOST_CLASSES,
        "height": MAX_SIDE,
        "width": MAX_SIDE,
    }
    assert compute("parameters", largest).max() < 2**49
    assert compute("activations", largest).max() < 2**62


@pytest.mark.parametrize(
    ("changed", "error", "text"),
    [
        ({"streams": 0}, GridError, "streams is 0; give 1 at least"),
        ({"sub": np.array([3, -1])}, GridError, "sub is -1; give 1 at least"),
        (
            {"classes": 19.0},
            GridError,
            "classes is of float64; give whole numbers that int64 holds",
        ),
        (
            {"up": np.array([1 << 63], np.uint64)},
            GridError,
            "up is of uint64; give whole numbers that int64 holds",
        ),
        (
            {"up": np.array([True])},
            GridError,
            "up is of bool; give whole numbers that int64 holds",
        ),
        (
            {"sub": np.array([1, 2]), "up": np.array([1, 2, 3])},
            GridError,
            "shapes do not broadcast: sub (2,), up (3,); give equal ones, or ints",
        ),
        (
            {"height": 360, "width": 480},
            SizeError,
            "Image is 360x480; 5 streams need multiples of 2^4",
        ),
        (
            {"streams": np.array([[4], [6]]), "height": np.array([400, 800])},
            SizeError,
            "Image is 400x400; 6 streams need multiples of 2^5",
        ),
        (
            {"base_channels": np.array([16, 1 << 20])},
            TooLargeError,
            "macs comes to 1.38e+20; arrays hold 4.61e+18 at most. "
            "Give plain ints, which have no limit.",
        ),
        (
            {"streams": np.array([1 << 40])},
            SizeError,
            "Image is 400x400; 1099511627776 streams need multiples of 2^1099511627775",
        ),
    ],
)
def test_what_the_formulas_do_not_cover_is_refused(changed, error, text):
    with pytest.raises(error) as caught:
        compute("macs", PAPER | changed)
    assert str(caught.value) == text


@pytest.mark.parametrize("streams", [1500, 60_000])
def test_what_no_float_holds_is_more_than_arrays_may(streams):
    given = {"sub": 3, "up": 3, "in_channels": 3, "classes": 19}
    with pytest.raises(TooLargeError) as caught:
        closed_form.parameters(np.array([5, streams]), 16, **given)
    assert str(caught.value) == (
        "parameters comes to more than 4.61e+18; arrays hold 4.61e+18 at most. "
        "Give plain ints, which have no limit."
    )


def test_a_missing_argument_is_a_bug_of_the_caller():
    with pytest.raises(TypeError, match="classes"):
        closed_form.parameters(np.array([5]), 16, 3, 3, in_channels=3)


def test_how_far_the_papers_parameters_are_off():
    streams, columns = np.array([[1], [2], [3], [5], [7]]), np.array([1, 2, 3, 4, 6])
    family = streams, 16, columns, columns
    ratios = closed_form.paper_parameters(*family) / closed_form.grid_parameters(*family)
    assert ratios.round(3).tolist() == [
        [1.469, 1.633, 1.665, 1.679, 1.692],
        [0.623, 0.823, 0.872, 0.894, 0.915],
        [0.548, 0.735, 0.783, 0.804, 0.824],
        [0.530, 0.714, 0.761, 0.783, 0.803],
        [0.529, 0.714, 0.761, 0.782, 0.802],
    ]


def test_how_far_the_papers_activations_are_off():
    streams = np.arange(1, 8)
    exact = closed_form.grid_activations(streams, 16, 3, 3, 64, 64)
    ratios = closed_form.paper_activations(16, 3, 3, 64, 64) / exact
    assert ratios[:4].round(2).tolist() == [3.80, 1.58, 1.23, 1.10]
    assert ratios[4:].round(3).tolist() == [1.048, 1.024, 1.012]


FAMILIES = st.tuples(
    st.integers(1, 12), st.integers(1, 256), st.integers(0, 64), st.integers(0, 64)
)


@given(st.lists(FAMILIES, min_size=1))
def test_arrays_of_the_papers_approximations_are_what_their_elements_are(families):
    streams, base, sub, up = map(np.array, zip(*families, strict=True))
    singly = [closed_form.paper_parameters(*family) for family in families]
    assert closed_form.paper_parameters(streams, base, sub, up).tolist() == singly
    singly = [closed_form.paper_activations(*family, 400, 320) for _, *family in families]
    assert closed_form.paper_activations(base, sub, up, 400, 320).tolist() == singly


def test_the_papers_approximations_need_a_stream_but_neither_sub_nor_up_columns():
    assert closed_form.paper_parameters(1, 4, 0, 1) == -2 * 18 * 16 // 2
    with pytest.raises(GridError) as caught:
        closed_form.paper_parameters(0, 4, 1, 1)
    assert str(caught.value) == "streams is 0; give 1 at least"
    with pytest.raises(GridError) as caught:
        closed_form.paper_parameters(1, 4, -1, 1)
    assert str(caught.value) == "sub is -1; give 0 at least"
