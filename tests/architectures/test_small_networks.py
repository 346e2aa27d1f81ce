"""Every published network as a real module, made small by its own settings: it computes and learns.

What it costs at its own size is tested without memory for weights in test_architectures.py.
"""

import pytest
import torch
from small import small_grid
from torch import nn

from gridgen.analysis.sizes import larger_size
from gridgen.architectures.names import ARCHITECTURES
from gridgen.emit import GridNetwork


def small(name: str, **settings) -> GridNetwork:
    torch.manual_seed(0)
    return GridNetwork(small_grid(name, **settings))


def image_for(network: GridNetwork, side: int = 64) -> torch.Tensor:
    spec = network.grid.spec
    return torch.rand(2, spec.in_channels, *larger_size(spec, (side, side)))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_gradient_of_every_convolution_is_not_zero(name):
    """Of its weights: a bias before a BN has none, whatever the network."""
    network = small(name)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
            nn.init.constant_(module.bias, 0.5)  # with few channels, ReLU could pass nothing
    prediction = network(image_for(network))
    (prediction * torch.randn_like(prediction)).sum().backward()
    weights = [(key, p) for key, p in network.named_parameters() if p.dim() == 4]
    assert [key for key, p in weights if not p.grad.abs().max() > 0] == []


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_small_step_against_the_gradient_lowers_the_loss(name):
    network = small(name).train()
    images = image_for(network, 128)  # a BN that sees two values knows nothing but their order
    labels = torch.randint(network.grid.spec.classes, (2, *images.shape[-2:]))

    def loss() -> torch.Tensor:
        return nn.functional.cross_entropy(network(images), labels)

    before = loss()
    before.backward()
    parameters = list(network.parameters())
    length = torch.cat([p.grad.flatten() for p in parameters]).norm()
    with torch.no_grad():
        for parameter in parameters:
            parameter -= 2e-3 * parameter.grad / length
        assert loss() < before


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_prediction_depends_on_the_image_and_not_on_its_neighbours_in_the_batch(name):
    network = small(name).eval()
    images = image_for(network)
    predictions = network(images)
    torch.testing.assert_close(network(images[:1]), predictions[:1], rtol=1e-4, atol=1e-4)
    assert predictions.std() > 0


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_any_size_gives_a_prediction_of_that_size(name):
    network = small(name, size="pad").eval()
    spec = network.grid.spec
    assert network(torch.rand(1, spec.in_channels, 33, 65)).shape == (1, spec.classes, 33, 65)
