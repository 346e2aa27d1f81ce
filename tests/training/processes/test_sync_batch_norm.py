"""BN over all processes, here of one; test_processes.py has two."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn.functional import batch_norm

from gridgen.emit import GridNetwork
from gridgen.emit.recompute import Still
from gridgen.grid import build_grid
from gridgen.spec import GridSpec
from gridgen.training.processes.sync_batch_norm import (
    Normalization,
    statistics,
    synchronize_batch_norm,
)

LAYOUTS = (torch.contiguous_format, torch.channels_last)


def pair(channels: int = 3) -> tuple[nn.BatchNorm2d, nn.Module]:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(channels)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    other = nn.Sequential(deepcopy(norm))
    synchronize_batch_norm(other)
    return norm, other[0]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_one_process_gets_what_torch_computes(layout, dtype):
    norm, ours = pair()
    x = torch.randn(4, 3, 6, 5).add(2).to(dtype).to(memory_format=layout)
    given, results = torch.randn(x.shape).to(dtype), []
    for module in (norm, ours):
        leaf = x.clone().requires_grad_()
        y = module(leaf)
        y.backward(given)
        tensors = (y, leaf.grad, module.weight.grad, module.bias.grad)
        results.append((*tensors, module.running_mean, module.running_var))
    close = 1e-5 if dtype == torch.float32 else 2e-2
    for theirs, mine in zip(*results, strict=True):
        assert mine.dtype == theirs.dtype
        assert mine.stride() == theirs.stride()
        torch.testing.assert_close(mine, theirs, rtol=close, atol=close)
    assert ours.num_batches_tracked == norm.num_batches_tracked == 1


def test_the_gradient_is_that_of_the_formula():
    def normalized(x, weight, bias):
        mean, variance = statistics(x.detach())
        return Normalization.apply(x, weight, bias, mean, variance, 1e-5)

    inputs = [torch.randn(2, 2, 3, 3), torch.randn(2), torch.randn(2)]
    ours = [t.double().requires_grad_() for t in inputs]
    torchs = [t.double().requires_grad_() for t in inputs]
    given = torch.randn(2, 2, 3, 3).double()
    normalized(*ours).backward(given)
    x, weight, bias = torchs
    batch_norm(x, None, None, weight, bias, training=True, eps=1e-5).backward(given)
    for mine, theirs in zip(ours, torchs, strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)


def test_a_variance_small_beside_the_mean_keeps_its_digits():
    x = 1000 + torch.randn(4, 2, 16, 16)
    variance = statistics(x)[1]
    exact = x.double().var((0, 2, 3), correction=0).float()
    torch.testing.assert_close(variance, exact, rtol=1e-5, atol=0)


def test_evaluation_is_untouched():
    norm, ours = pair()
    x = torch.randn(1, 3, 4, 4)
    assert torch.equal(norm.eval()(x), ours.eval()(x))


def test_names_and_tensors_stay_and_none_is_left_out():
    network = GridNetwork(
        build_grid(GridSpec(streams=2, columns="1+1", base_channels=2, classes=3))
    )
    before = {name: tensor.data_ptr() for name, tensor in network.state_dict().items()}
    synchronize_batch_norm(network)
    assert {name: t.data_ptr() for name, t in network.state_dict().items()} == before
    assert not any(type(module) is nn.BatchNorm2d for module in network.modules())


def test_a_forward_pass_that_is_computed_again_counts_its_batch_once():
    _, ours = pair()
    x = torch.randn(4, 3, 4, 4)
    ours(x)
    before = deepcopy(ours.state_dict())
    with Still([ours]):
        ours(x)
    for name, tensor in ours.state_dict().items():
        assert torch.equal(tensor, before[name])
