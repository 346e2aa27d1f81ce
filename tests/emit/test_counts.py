"""What is counted is what is built: parameters, activations and MACs, with an error of zero.

200 random specs each time, 2,000 by the profile `long` (minutes; the number is that of specs, each
with every topology that its columns allow):

    python -m pytest tests/emit/test_counts.py --hypothesis-profile long
"""

import pytest
import torch
from hypothesis import event, given, settings
from hypothesis import strategies as st
from strategies import CHANNELS, UP_TO_4, specs, topologies_for

from gridgen.analysis import count
from gridgen.analysis.sizes import legal_size
from gridgen.grid import Grid, build_grid, prune
from gridgen.grid.layers import BatchNorm, Conv, Deconv, cost
from gridgen.spec import GridSpec
from tests.oracles.measuring import measured, network_on_meta

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


def built(grid: Grid, size: tuple[int, ...]) -> tuple[int, int, int]:
    """Parameters, activations and MACs of the module, for one image of `size`."""
    spec, network = grid.spec, network_on_meta(grid).eval()
    image = torch.empty(1, spec.in_channels, *size, device="meta")
    inputs = (image, features(grid, size)) if grid.full.sides else (image,)
    return sum(p.numel() for p in network.parameters()), *measured(network, *inputs)


def features(grid: Grid, size: tuple[int, ...]) -> list[torch.Tensor | None]:
    """Features for every side that the topology has kept, for the size worked on."""
    legal, stride = legal_size(grid.spec, size), grid.spec.stride
    return [
        torch.empty(
            1,
            side.channels,
            *(each // stride >> side.target.stream for each in legal),
            device="meta",
        )
        if side in grid.sides
        else None
        for side in grid.full.sides
    ]


def counted(grid: Grid, size: tuple[int, ...]) -> tuple[int, int, int]:
    found = count(grid, size)
    return found.parameters.total, found.activations.total, found.macs.total


@given(st.data())
@settings(max_examples=EXAMPLES)
def test_counts_are_those_of_the_module_for_every_topology(data):
    spec = data.draw(specs_with_sides())
    size = data.draw(sizes_for(spec))
    full = build_grid(spec)
    for topology in topologies_for(spec):
        event(topology)
        grid = prune(full, topology)
        assert counted(grid, size) == built(grid, size), topology


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
    assert counted(grid, size) == built(grid, size)
    monkeypatch.setattr(layer, what, wrong)
    cost.cache_clear()
    try:
        assert counted(grid, size) != built(grid, size)
    finally:
        cost.cache_clear()
