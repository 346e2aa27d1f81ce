"""The receptive field, against the gradient of a real network."""

import pytest
import torch
from hypothesis import given, settings
from strategies import specs, topologies_for
from torch import nn

from gridgen.analysis.receptive import receptive_field
from gridgen.emit import GridNetwork
from gridgen.grid import Draft, build_grid, prune
from gridgen.grid.layers import AveragePool, Conv, Deconv, MaxPool, Resize, Upsample
from gridgen.spec import GridSpec


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
    spec = spec.but(classes=1, in_channels=1, total_dropout=0.0, size="error")
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
    spec = GridSpec.of(streams=4, columns="1+1", base_channels=1, in_channels=1, classes=1)
    draft = Draft()
    draft.connect((0, 0), (0, 1), unit)
    grid = draft.grid(spec, stem=(Conv(1, 1),), head=(Conv(1, 1),))
    assert seen_rows(grid) == receptive_field(grid)


def test_a_network_that_pools_the_whole_image_sees_all_of_it():
    draft = Draft()
    draft.connect((0, 0), (1, 0), (AveragePool(2),))
    draft.connect((1, 0), (0, 1), (Resize(),), reads=(0, 0))
    spec = GridSpec.of(streams=4, columns="1+1", base_channels=1, classes=1)
    grid = draft.grid(spec, stem=(Conv(3, 1),), head=())
    assert receptive_field(grid) is None
