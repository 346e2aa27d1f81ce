"""What is counted is what is built: parameters, activations and MACs, with an error of zero.

200 random specs each time, 2,000 by the profile `long` (minutes; the number is that of specs, each
with every topology that its columns allow):

    python -m pytest tests/emit/test_counts.py --hypothesis-profile long
"""

import pytest
from hypothesis import event, given, settings, strategies as st
from strategies import CHANNELS, UP_TO_4, specs, topologies_for

from gridgen.grid import build_grid, prune
from gridgen.grid.layers import BatchNorm, Conv, Deconv, cost
from gridgen.spec import GridSpec
from gridgen.testing import check_counts

EXAMPLES = max(200, settings.default.max_examples)


@st.composite
def specs_with_sides(draw: st.DrawFn) -> GridSpec:
    """Any spec; where features could enter at the lower streams, they mostly do."""
    spec = draw(specs(dimensions=(1, 2, 3)))
    lower = spec.streams - 1
    if spec.fusion != "sum" or spec.columns[0] != "sub" or not lower or not draw(UP_TO_4) > 1:
        return spec
    return spec.but(side_channels=draw(st.lists(CHANNELS, min_size=lower, max_size=lower)))


@st.composite
def sizes_for(draw: st.DrawFn, spec: GridSpec) -> tuple[int, ...]:
    """Sizes that the spec's policy takes: multiples, or whatever is not smaller than one."""
    rest = st.integers(0, spec.multiple - 1 if spec.size != "error" else 0)
    sides = (
        max(draw(UP_TO_4) * spec.multiple, spec.least) + draw(rest) for _ in range(spec.dimensions)
    )
    return tuple(sides)


@given(st.data())
@settings(max_examples=EXAMPLES)
def test_counts_are_those_of_the_module_for_every_topology(data):
    spec = data.draw(specs_with_sides())
    size = data.draw(sizes_for(spec))
    full = build_grid(spec)
    for topology in topologies_for(spec):
        event(topology)
        check_counts(prune(full, topology), size)


DECONV_MACS = Deconv.macs
ONE_PATH = GridSpec(
    streams=1, columns="1+1", base_channels=2, classes=2, residual={"lateral": False}
)


@pytest.mark.parametrize(
    ("layer", "what", "wrong"),
    [
        (Deconv, "macs", lambda self, shape: 4 * DECONV_MACS(self, shape)),
        (Conv, "macs", lambda self, shape: 0),
        (BatchNorm, "parameters", property(lambda self: 0)),
        (Conv, "parameters", property(lambda self: 9 * self.channels_in * self.channels_out)),
        (Deconv, "out", lambda self, shape, _=None: (self.channels_out, shape[1], 2 * shape[2])),
    ],
)
def test_a_layer_that_is_counted_wrongly_is_noticed(layer, what, wrong, monkeypatch):
    grid, size = build_grid(ONE_PATH), (4, 8)
    check_counts(grid, size)
    monkeypatch.setattr(layer, what, wrong)
    cost.cache_clear()
    try:
        with pytest.raises(AssertionError, match=r"are counted; the module has"):
            check_counts(grid, size)
    finally:
        cost.cache_clear()
