from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import paper_specs, specs

from gridgen.analysis import count, paper
from gridgen.errors import GridError
from gridgen.grid import build_grid


@pytest.mark.parametrize(("sub", "up"), [(3, 3), (4, 2), (2, 4), (1, 1)])
def test_the_approximations_are_those_that_section_3_2_prints(sub, up):
    # nb_param ~ 18 * 2^(2 (N_S - 1)) F_0^2 (2.5 N_Cs + N_Cu - 2)
    assert paper.parameters(5, 16, sub, up) == 18 * 2**8 * 16**2 * (2.5 * sub + up - 2)
    # nb_activ ~ 6 H_0 W_0 F_0 (4 N_Cu + 3 N_Cs - 2)
    assert paper.activations(16, sub, up, 400, 320) == 6 * 400 * 320 * 16 * (4 * up + 3 * sub - 2)


@given(paper_specs())
def test_a_count_reports_them_for_the_papers_family(spec):
    sub, up = spec.columns.count("sub"), spec.columns.count("up")
    side = spec.multiple
    counted = count(build_grid(spec), (side, side))
    base = spec.base_channels
    assert counted.parameters.paper == paper.parameters(spec.streams, base, sub, up)
    assert counted.activations.paper == paper.activations(base, sub, up, side, side)


@given(specs())
def test_they_have_a_value_where_channels_double(spec):
    channels = spec.stream_channels
    doubling = all(deep == 2 * high for high, deep in pairwise(channels))
    assert spec.doubling == doubling


FAMILIES = st.tuples(
    st.integers(1, 12), st.integers(1, 256), st.integers(0, 64), st.integers(0, 64)
)


@given(st.lists(FAMILIES, min_size=1))
def test_arrays_are_what_their_elements_are(families):
    streams, base, sub, up = map(np.array, zip(*families, strict=True))
    singly = [paper.parameters(*family) for family in families]
    assert paper.parameters(streams, base, sub, up).tolist() == singly
    singly = [paper.activations(*family, 400, 320) for _, *family in families]
    assert paper.activations(base, sub, up, 400, 320).tolist() == singly


def test_a_grid_has_a_stream_but_may_lack_sub_or_up_columns():
    assert paper.parameters(1, 4, 0, 1) == -2 * 18 * 16 // 2
    with pytest.raises(GridError) as caught:
        paper.parameters(0, 4, 1, 1)
    assert str(caught.value) == "streams is 0; give 1 at least"
    with pytest.raises(GridError) as caught:
        paper.parameters(1, 4, -1, 1)
    assert str(caught.value) == "sub is -1; give 0 at least"
