from itertools import pairwise

import pytest
from hypothesis import given
from strategies import paper_specs, specs

from gridgen.analysis import count
from gridgen.analysis.counting import paper_parameters
from gridgen.grid import build_grid
from tests.oracles import closed_form


@pytest.mark.parametrize(("sub", "up"), [(3, 3), (4, 2), (2, 4), (1, 1)])
def test_the_approximations_are_those_that_section_3_2_prints(sub, up):
    # nb_param ~ 18 * 2^(2 (N_S - 1)) F_0^2 (2.5 N_Cs + N_Cu - 2)
    assert closed_form.paper_parameters(5, 16, sub, up) == 18 * 2**8 * 16**2 * (2.5 * sub + up - 2)
    # nb_activ ~ 6 H_0 W_0 F_0 (4 N_Cu + 3 N_Cs - 2)
    assert closed_form.paper_activations(16, sub, up, 400, 320) == 6 * 400 * 320 * 16 * (
        4 * up + 3 * sub - 2
    )


@given(paper_specs())
def test_a_count_reports_them_for_the_papers_family(spec):
    sub, up = spec.columns.count("sub"), spec.columns.count("up")
    side = spec.multiple
    counted = count(build_grid(spec), (side, side))
    base = spec.base_channels
    assert counted.parameters.paper == closed_form.paper_parameters(spec.streams, base, sub, up)
    assert counted.activations.paper == closed_form.paper_activations(base, sub, up, side, side)


@given(specs())
def test_they_have_a_value_where_channels_double(spec):
    channels = spec.stream_channels
    doubling = all(deep == 2 * high for high, deep in pairwise(channels))
    assert spec.doubling == doubling
    assert (paper_parameters(spec) is not None) == (doubling and spec.dimensions == 2)
