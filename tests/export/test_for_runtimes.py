"""A network rewritten for another runtime: the same numbers in evaluation."""

from itertools import pairwise

import pytest
import torch
from small import SMALL, small_grid
from torch import nn

from gridgen.emit import GridNetwork
from gridgen.errors import ExportError
from gridgen.export.rewriting import DoublingConv, is_doubling, rewritten
from gridgen.export.unseen import CLOSE, compared_with
from gridgen.grid import build_grid
from gridgen.spec import GridSpec

SPEC = GridSpec(streams=3, columns="2+2", base_channels=4, classes=3, size="pad")


def moved(network):
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            for tensor in (module.running_mean, module.running_var, module.weight, module.bias):
                tensor.data.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return network.eval()


@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_a_deconvolution_that_doubles_is_a_convolution_and_a_shuffle(kernel, bias):
    more = {"padding": 1, "output_padding": 1} if kernel == 3 else {}
    layer = nn.ConvTranspose2d(3, 5, kernel, stride=2, bias=bias, **more)
    assert is_doubling(layer)
    for size in ((7, 9), (1, 1), (4, 2)):
        x = torch.rand(2, 3, *size)
        assert torch.allclose(DoublingConv(layer)(x), layer(x), atol=1e-6)


@pytest.mark.parametrize("layer", [nn.ConvTranspose2d(3, 5, 4, stride=2, padding=1)])
def test_others_stay_as_they_are(layer):
    assert not is_doubling(layer)


@pytest.mark.parametrize("name", ["grid", "signals", *SMALL])
@torch.no_grad()
def test_the_network_predicts_the_same(name):
    grid = build_grid(SPEC.but(dimensions=1) if name == "signals" else SPEC)
    grid = grid if name in ("grid", "signals") else small_grid(name, size="error")
    # In double precision: which of two nearly equal values a pooling takes is decided by rounding.
    network = moved(GridNetwork(grid)).double()
    side = max(grid.spec.least, 2 * grid.spec.multiple)
    x = torch.rand(1, grid.spec.in_channels, *[side] * grid.spec.dimensions).double()
    before = network(x)
    made = rewritten(network)
    assert (made(x) - before).abs().max() <= 1e-9 * before.abs().max()
    assert torch.equal(network(x), before)


@torch.no_grad()
def test_where_rounding_decides_most_values_are_alike_and_a_wrong_program_is_found():
    network = moved(GridNetwork(small_grid("deconvnet", size="error")))
    made = rewritten(network)
    for compared in compared_with(network, made, "a copy"):
        assert compared.difference <= CLOSE
    made.head[-1].weight.mul_(1.01)
    with pytest.raises(ExportError, match="a copy differs by"):
        compared_with(network, made, "a copy")


def test_what_can_be_folded_is():
    made = rewritten(GridNetwork(build_grid(SPEC)))
    for layers in made.modules():
        if isinstance(layers, nn.Sequential):
            kinds = [type(layer).__name__ for layer in layers]
            assert ("Conv2d", "BatchNorm2d") not in [*pairwise(kinds)]
            assert "ConvTranspose2d" not in [
                type(layer).__name__
                for layer in layers
                if isinstance(layer, nn.ConvTranspose2d) and is_doubling(layer)
            ]
