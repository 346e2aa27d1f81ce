"""The receptive field, against the gradient of a real network."""

from dataclasses import replace

import networkx as nx
import pytest
import torch
from hypothesis import given, settings, strategies as st
from strategies import specs, topologies_for
from torch import nn

from gridgen.analysis.receptive import receptive_field, receptive_fields
from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.emit import GridNetwork
from gridgen.grid import Draft, FeatureMap, build_grid, prune
from gridgen.grid.layers import AveragePool, Conv, Deconv, MaxPool, Resize, Upsample
from gridgen.spec import DraftSpec, GridSpec


def seen_rows(grid) -> int:
    """Rows of the image that the gradient of one predicted row reaches, at the most."""
    network = GridNetwork(grid).double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.ReLU | nn.MaxPool2d):
            module.forward = _smooth(module)
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
    multiple = grid.spec.multiple
    side = -(-(receptive_field(grid) + 2 * multiple) // (2 * multiple)) * 2 * multiple
    most = 0
    for row in range(side // 2, side // 2 + multiple):
        shape = 1, grid.spec.in_channels, side, multiple
        image = torch.ones(shape, dtype=torch.float64, requires_grad=True)
        prediction = network(image)
        prediction[:, :, row].sum().backward()
        rows = image.grad.abs().sum((0, 1, 3)).nonzero().flatten()
        most = max(most, int(rows[-1] - rows[0]) + 1)
    return most


def _smooth(module):
    """Layers whose gradient depends on values, replaced by those that pass it everywhere."""
    if isinstance(module, nn.MaxPool2d):
        pool = nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
        return pool.forward
    return lambda x: x


@given(specs(max_streams=3))
@settings(max_examples=25)
def test_the_receptive_field_is_what_the_gradient_reaches(spec):
    spec = spec.but(
        classes=1, in_channels=1, total_dropout=0.0, size="error", norm="batch", activation="relu"
    )
    for topology in topologies_for(spec):
        grid = prune(build_grid(spec), topology)
        assert seen_rows(grid) == receptive_field(grid)


@pytest.mark.parametrize(
    "unit",
    [
        (Conv(1, 1, kernel=3, dilation=4),),
        (Conv(1, 1, kernel=7),),
        (MaxPool(3, 2), Upsample("bilinear", 2)),
        (MaxPool(4, 4), Upsample("nearest", 4)),
        (MaxPool(4, 4), Upsample("bilinear", 4)),
        (MaxPool(5, 1),),
        (MaxPool(), Deconv(1, 1, 2, kernel=2)),
        (MaxPool(4, 4), Deconv(1, 1, 4, kernel=8)),
        (Conv(1, 1, 7, valid=True), Deconv(1, 1, 1, kernel=7, valid=True)),
    ],
    ids=str,
)
def test_every_layer_reaches_what_its_gradient_reaches(unit):
    spec = GridSpec(streams=4, columns="1+1", base_channels=1, in_channels=1, classes=1)
    draft = Draft()
    draft.connect((0, 0), (0, 1), unit)
    grid = draft.grid(spec, stem=(Conv(1, 1),), head=(Conv(1, 1),))
    assert seen_rows(grid) == receptive_field(grid)


def test_a_network_that_pools_the_whole_image_sees_all_of_it():
    draft = Draft()
    draft.connect((0, 0), (1, 0), (AveragePool(2),))
    draft.connect((1, 0), (0, 1), (Resize(),), auxiliary=(0, 0))
    spec = GridSpec(streams=4, columns="1+1", base_channels=1, classes=1)
    grid = draft.grid(spec, stem=(Conv(3, 1),), head=())
    assert receptive_field(grid) is None


def upto(grid, place):
    """The grid that ends at a map: what the map sees is what its prediction sees."""
    lines = nx.ancestors(grid.dag, place) | {place}
    return replace(grid, dag=grid.dag.subgraph(lines).copy(), output=place, head=())


def require_fields(grid) -> None:
    """Forwards from the image, each map sees what it does backwards from the map."""
    fields = receptive_fields(grid)
    assert list(fields) == list(grid.maps)
    for place, side in fields.items():
        assert receptive_field(upto(grid, place)) == side


@given(specs(max_streams=4), st.data())
@settings(max_examples=40)
def test_every_map_sees_what_the_grid_that_ends_there_does(spec, data):
    require_fields(prune(build_grid(spec), data.draw(st.sampled_from(topologies_for(spec)))))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_map_of_a_published_network_sees_what_the_grid_that_ends_there_does(name):
    require_fields(build_grid(load_spec(name)))


def test_the_first_maps_of_the_papers_network(paper_grid):
    """A unit's two 3x3 convolutions see 4 rows more, each 2^i rows of the image apart."""
    fields = receptive_fields(paper_grid)
    assert fields[FeatureMap(0, 0)] == 5
    assert [fields[FeatureMap(0, j)] for j in (1, 2)] == [9, 13]
    assert fields[FeatureMap(1, 0)] == 5 + 2 * 1 + 2 * 2
    assert fields[FeatureMap(4, 1)] == fields[FeatureMap(4, 0)] + 4 * 16
    assert max(fields.values()) == fields[paper_grid.output]


def test_maps_after_pooling_the_whole_image_see_all_of_it():
    draft = Draft()
    draft.connect((0, 0), (1, 0), (AveragePool(2),))
    draft.connect((0, 0), (0, 1), (Conv(1, 1),))
    draft.connect((1, 0), (0, 1), (Resize(),), auxiliary=(0, 0))
    spec = GridSpec(streams=4, columns="1+1", base_channels=1, classes=1)
    grid = draft.grid(spec, stem=(Conv(3, 1),), head=())
    assert list(receptive_fields(grid).values()) == [3, None, None]


def test_maps_between_rows_of_steps_that_are_no_powers_of_two():
    draft = Draft()
    draft.connect((0, 0), (1, 0), (MaxPool(3, 3), Conv(1, 1)))
    draft.connect((1, 0), (0, 1), (Upsample("bilinear", 3),))
    spec = DraftSpec(classes=1, step=3)
    grid = draft.grid(spec, stem=(Conv(3, 1),), head=())
    assert list(receptive_fields(grid).values()) == [3, 11, 14]
    require_fields(grid)


def test_a_projection_that_sees_more_than_its_unit_counts():
    draft = Draft()
    draft.connect((0, 0), (0, 1), (Conv(1, 1, kernel=1),), shortcut=(Conv(1, 1, kernel=7),))
    spec = GridSpec(streams=1, columns="1+1", base_channels=1, classes=1)
    grid = draft.grid(spec, stem=(Conv(3, 1),), head=())
    assert list(receptive_fields(grid).values()) == [3, 9]
    assert receptive_field(grid) == 9
