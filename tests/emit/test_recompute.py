"""Computing a part again in the backward pass changes memory and time, nothing else."""

import copy

import pytest
import torch
from small import small_grid

from gridgen.analysis.sizes import larger_size
from gridgen.emit import GridNetwork
from gridgen.emit.recompute import recomputed
from gridgen.errors import UsageError, unknown
from gridgen.grid import TOPOLOGIES, build_grid
from gridgen.spec import GridSpec
from gridgen.training import Recipe, train

SPEC = {"streams": 3, "columns": "2+2", "base_channels": 4, "classes": 3, "total_dropout": 0.3}


def trained_once(network: GridNetwork, recompute: str) -> GridNetwork:
    """A copy of `network` after one forward and backward pass."""
    network = copy.deepcopy(network).train()
    network.recompute = recompute
    torch.manual_seed(1)
    spec = network.grid.spec
    images = torch.rand(2, spec.in_channels, *larger_size(spec, (16, 16)))
    prediction = network(images)
    (prediction * torch.randn_like(prediction)).sum().backward()
    return network


def require_equal(one: GridNetwork, other: GridNetwork) -> None:
    for (name, buffer), expected in zip(one.named_buffers(), other.buffers(), strict=True):
        assert torch.equal(buffer, expected), name
    for (name, weight), expected in zip(one.named_parameters(), other.parameters(), strict=True):
        if expected.grad is None:
            assert weight.grad is None, name
        else:
            torch.testing.assert_close(weight.grad, expected.grad, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("recompute", ["unit", "column"])
@pytest.mark.parametrize("fusion", ["sum", "concat", "weighted"])
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_gradients_and_running_statistics_are_the_same(recompute, fusion, topology):
    network = GridNetwork(build_grid(GridSpec(**SPEC, fusion=fusion, topology=topology)))
    require_equal(trained_once(network, recompute), trained_once(network, "none"))


@pytest.mark.parametrize("recompute", ["unit", "column"])
@pytest.mark.parametrize("name", ["deconvnet", "pspnet", "unet++", "bifpn", "stacked-hourglass"])
def test_published_networks_too(recompute, name):
    network = GridNetwork(small_grid(name))
    require_equal(trained_once(network, recompute), trained_once(network, "none"))


@pytest.mark.parametrize("recompute", ["unit", "column"])
def test_features_beside_the_image_are_read_both_times(recompute):
    spec = GridSpec(**SPEC, side_channels=[2, 3])
    network = GridNetwork(build_grid(spec)).train()
    gradients = []
    for network.recompute in ("none", recompute):
        torch.manual_seed(1)
        sides = [torch.rand(1, 2, 8, 8).requires_grad_(), torch.rand(1, 3, 4, 4).requires_grad_()]
        network(torch.rand(1, 3, 16, 16), sides).square().sum().backward()
        gradients.append([side.grad for side in sides])
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("recompute", ["unit", "column"])
def test_the_parts_of_the_module_are_as_they_were(recompute):
    network = GridNetwork(build_grid(GridSpec(**SPEC)))
    after = trained_once(network, recompute)
    norms = [m for m in after.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert {norm.momentum for norm in norms} == {0.1}
    assert list(after.state_dict()) == list(network.state_dict())


@pytest.mark.parametrize("recompute", ["unit", "column"])
def test_a_second_backward_pass_computes_it_once_more(recompute):
    network = GridNetwork(build_grid(GridSpec(**SPEC | {"total_dropout": 0}))).train()
    images, gradients = torch.rand(2, 3, 16, 16), []
    for network.recompute in ("none", recompute):
        prediction = network(images)
        weights = list(network.parameters())
        first = torch.autograd.grad(prediction[:, 0].sum(), weights, retain_graph=True)
        second = torch.autograd.grad(prediction[:, 1].square().sum(), weights)
        gradients.append([*first, *second])
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-5)


def test_what_is_recomputed_has_a_name():
    network = GridNetwork(build_grid(GridSpec(**SPEC)))
    with pytest.raises(UsageError) as caught:
        network.recompute = "columns"
    assert str(caught.value) == unknown("recomputation", "columns", ["column"])
    assert network.recompute == "none"


@pytest.mark.parametrize("recompute", ["none", "unit", "column"])
def test_a_recipe_says_what_a_training_recomputes(recompute, tmp_path, monkeypatch):
    asked = []

    def watched(function, inputs, parts):
        asked.append(function)
        return recomputed(function, inputs, parts)

    monkeypatch.setattr("gridgen.emit.network.recomputed", watched)
    recipe = Recipe(
        epochs=1,
        batch=500,
        learning_rate=0.01,
        recompute=recompute,
        crop={"smallest": 8, "largest": 8, "size": 8},
    )
    spec = GridSpec(streams=2, columns="1+1", base_channels=2, classes=3)
    train(build_grid(spec), "shapes", recipe, folder=tmp_path / "run")
    steps, each = 2, {"none": 0, "unit": 4, "column": 2}
    assert len(asked) == steps * each[recompute]
