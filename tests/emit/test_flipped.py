"""Deconvolutions of stride 1 as convolutions with flipped kernels: the same numbers."""

import pytest
import torch
from torch import nn

from gridgen.emit.flipped import FLIPPED
from gridgen.emit.lowering import lower
from gridgen.grid.layers import BatchNorm, Deconv

CLOSE = 1e-5


def both(dimensions, **options):
    layer = Deconv(4, 6, dimensions=dimensions, **options)
    ours = lower((layer,))[0]
    theirs = getattr(nn, f"ConvTranspose{dimensions}d")(4, 6, layer.kernel, padding=layer.padding)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize(
    "options", [{}, {"kernel": 5}, {"valid": True}, {"kernel": 7, "valid": True}]
)
def test_outputs_and_gradients_are_those_of_torchs_module(dimensions, options):
    ours, theirs = both(dimensions, **options)
    assert type(ours) is FLIPPED[f"ConvTranspose{dimensions}d"]
    x = torch.rand(2, 4, *(9, 8, 7)[:dimensions])
    found = []
    for module in (ours, theirs):
        given = x.clone().requires_grad_()
        y = module(given)
        y.square().mean().backward()
        found.append((y.detach(), given.grad, module.weight.grad, module.bias.grad))
    for own, wanted in zip(*found, strict=True):
        assert (own - wanted).abs().max() <= CLOSE * wanted.abs().max()


@pytest.mark.parametrize("batch", [1, 2])
def test_evaluation_gives_the_bits_of_torchs_module(batch):
    ours, theirs = (each.eval().to(memory_format=torch.channels_last) for each in both(2))
    x = torch.rand(batch, 4, 19, 24).to(memory_format=torch.channels_last)
    assert torch.equal(ours(x), theirs(x))


def test_one_with_a_stride_stays_torchs_own():
    assert type(lower((Deconv(4, 6, stride=2),))[0]) is nn.ConvTranspose2d


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_with_frozen_weights_it_predicts_the_same():
    """torch's own form before a BN is folded wrongly there (torch 2.13): up to 76 % apart."""
    network = lower((Deconv(8, 8), BatchNorm(8))).eval()
    for tensor in network[1].state_dict().values():
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 2)
    x = torch.rand(1, 8, 16, 16)
    with torch.no_grad(), torch._inductor.config.patch(freezing=True):
        made = torch.compile(network)(x)
        wanted = network(x)
    torch._dynamo.reset()
    assert (made - wanted).abs().max() < 1e-5 * wanted.abs().max()
