import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import paper_specs

from gridgen.analysis import closed_form, count
from gridgen.grid import build_grid
from gridgen.spec import GridSpec


@settings(max_examples=200)
@given(paper_specs(), st.integers(1, 4), st.integers(1, 4))
def test_the_formulas_equal_the_sums_over_the_grid(spec, tall, wide):
    height, width = tall * spec.multiple, wide * spec.multiple
    counted = count(build_grid(spec), (height, width))
    family = {
        "streams": spec.streams,
        "base_channels": spec.base_channels,
        "sub": spec.columns.count("sub"),
        "up": spec.columns.count("up"),
    }
    size = {"height": height, "width": width}
    ends = {"in_channels": spec.in_channels, "classes": spec.classes}
    assert closed_form.parameters(**family, **ends) == counted.parameters.total
    assert closed_form.grid_parameters(**family) == counted.parameters.grid
    assert closed_form.grid_activations(**family, **size) == counted.activations.grid
    assert closed_form.grid_macs(**family, **size) == counted.macs.grid
    stem = closed_form.stem_parameters(spec.base_channels, spec.in_channels)
    head = closed_form.head_parameters(spec.base_channels, spec.classes)
    assert (stem, head) == (counted.parameters.stem, counted.parameters.head)


def test_the_papers_network():
    family = {"streams": 5, "base_channels": 16, "sub": 3, "up": 3}
    assert closed_form.parameters(**family, in_channels=3, classes=19) == 13_181_097
    assert closed_form.grid_parameters(**family) == 13_172_160
    assert closed_form.grid_activations(**family, height=400, width=400) == 278_400_000
    assert closed_form.grid_macs(**family, height=400, width=400) == 31_703_040_000


@pytest.mark.parametrize(("sub", "up"), [(4, 2), (2, 4), (1, 4)])
def test_sub_and_up_columns_do_not_cost_the_same(sub, up):
    family = {"streams": 5, "base_channels": 16}
    one = closed_form.grid_parameters(**family, sub=sub, up=up)
    other = closed_form.grid_parameters(**family, sub=up, up=sub)
    assert one != other
    spec = GridSpec.of(streams=5, columns=f"{sub}+{up}", base_channels=16, classes=19)
    assert count(build_grid(spec)).parameters.grid == one
