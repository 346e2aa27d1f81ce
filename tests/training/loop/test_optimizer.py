"""What each optimizer of a recipe does to a weight, and which weights decay."""

import pytest
import torch
from tiny import RECIPE, SPEC

from gridgen.emit import GridNetwork
from gridgen.grid import build_grid
from gridgen.training.loop.learner import optimizer_of
from gridgen.training.recipe import setting_of
from gridgen.training.recipe.sections import OPTIMIZERS

CPU = torch.device("cpu")
DECAYING = [{"name": "sgd", "weight_decay": 0.1}, {"name": "adamw", "weight_decay": 0.1}]


def made(optimizer):
    network = GridNetwork(build_grid(SPEC))
    return network, optimizer_of(network, RECIPE.but(optimizer=optimizer))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_memory_of_every_optimizer_is_counted(name):
    recipe = RECIPE.but(optimizer={"name": name})
    assert isinstance(recipe.optimizer, OPTIMIZERS[name])
    assert setting_of(recipe).optimizer == name


@pytest.mark.parametrize("optimizer", DECAYING, ids=lambda fields: fields["name"])
def test_only_kernels_decay(optimizer):
    network, made_of = made(optimizer)
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    made_of.step()  # all gradients are zero
    for name, parameter in network.named_parameters():
        factor = 1 - RECIPE.learning_rate * 0.1 * (1.9 if optimizer["name"] == "sgd" else 1)
        wanted = before[name] * (factor if parameter.ndim > 1 else 1)
        torch.testing.assert_close(parameter.detach(), wanted, rtol=1e-6, atol=0)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_every_parameter_is_in_it_once_and_has_a_gradient_from_the_beginning(optimizer):
    network, made_of = made(optimizer)
    held = [parameter for group in made_of.param_groups for parameter in group["params"]]
    assert sorted(map(id, held)) == sorted(map(id, network.parameters()))
    assert all(not parameter.grad.any() for parameter in held)


def test_adam_leaves_a_weight_of_zero_gradient_where_it_is():
    network, made_of = made("adam")
    before = [parameter.detach().clone() for parameter in network.parameters()]
    made_of.step()
    assert all(map(torch.equal, before, network.parameters()))
