"""The averaged network against the formula, step by step."""

import pytest
import torch
from tiny import SPEC

from gridgen.emit import GridNetwork
from gridgen.grid import build_grid
from gridgen.training.loop.learner import MovingAverage


def floats(network: GridNetwork) -> dict[str, torch.Tensor]:
    return {
        name: tensor.clone()
        for name, tensor in network.state_dict().items()
        if tensor.is_floating_point()
    }


def test_after_n_steps_the_decay_is_least_of_the_wanted_and_1_plus_n_over_10_plus_n():
    torch.manual_seed(0)
    network = GridNetwork(build_grid(SPEC))
    average = MovingAverage(network, 0.2)
    wanted = floats(network)
    for steps in range(4):
        with torch.no_grad():
            for tensor in network.state_dict().values():
                if tensor.is_floating_point():
                    tensor.add_(torch.rand_like(tensor))
        average.follow(steps)
        decay = min(0.2, (1 + steps) / (10 + steps))
        wanted = {
            name: decay * wanted[name] + (1 - decay) * tensor
            for name, tensor in floats(network).items()
        }
    found = floats(average.network)
    assert found.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name])


def test_the_average_keeps_its_mode_and_needs_no_gradient():
    network = GridNetwork(build_grid(SPEC)).train()
    average = MovingAverage(network, 0.9)
    average.follow(0)
    assert not average.network.training
    assert not any(parameter.requires_grad for parameter in average.network.parameters())
    assert network.training


@pytest.mark.parametrize("decay", [0.5, 0.999])
def test_an_average_of_what_stands_still_is_that(decay):
    network = GridNetwork(build_grid(SPEC))
    average = MovingAverage(network, decay)
    before = floats(network)
    for steps in range(5):
        average.follow(steps)
    assert all(
        torch.equal(tensor, before[name]) for name, tensor in floats(average.network).items()
    )
