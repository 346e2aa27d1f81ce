"""The steps of a supernet: several networks on one batch, which share their weights."""

import signal

import pytest
import torch
from tiny import RECIPE as TINY, SPEC, STEPS, StopAt, bits

from gridgen.emit.sharing import copied_subnetwork
from gridgen.errors import Interrupted, SpecError, TopologyError
from gridgen.grid import build_grid
from gridgen.memory.accounting import training_memory
from gridgen.space.subnetworks import SAMPLINGS
from gridgen.training import resume, train
from gridgen.training.loop.supernet import SupernetLearner, networks_of
from gridgen.training.loop.watch import Watch
from gridgen.training.recipe import TrainingStep, setting_of
from tests.oracles.killing import RECIPE as PLAIN, task

WHOLE = SPEC.but(streams=3, columns="2+2", base_channels=4, total_dropout=0.0)
FIRST = TrainingStep(0, 10, 3)


def recipe_of(recompute="none", **supernet):
    return PLAIN.but(supernet=supernet, ema=None, class_weights="none", recompute=recompute)


def learner(spec=WHOLE, **settings) -> SupernetLearner:
    recipe = recipe_of(**settings)
    return SupernetLearner(build_grid(spec), task(), recipe, 0, torch.device("cpu"))


def batch():
    generator = torch.Generator().manual_seed(5)
    images = torch.rand(4, 3, 8, 8, generator=generator)
    return images, torch.randint(3, (4, 8, 8), generator=generator)


@pytest.mark.parametrize("distillation", [0.0, 0.3, 1.0])
def test_gradients_are_the_mean_of_those_of_networks_of_their_own(distillation):
    one = learner(base_channels=[2, 4], samples=3, distillation=distillation)
    images, labels = batch()
    networks = [one.networks.spec(each) for each in one.drawn(FIRST)]
    alone = [
        copied_subnetwork(one.network, build_grid(spec)).train() for spec in (WHOLE, *networks)
    ]
    predictions = [network(images) for network in alone]
    truth = [task().loss(each, labels) for each in predictions]
    taught = [task().distance(each, predictions[0]) for each in predictions]
    shares = [0.0, *[distillation] * len(networks)]
    losses = [(1 - s) * t + s * d for s, t, d in zip(shares, truth, taught, strict=True)]
    torch.stack(losses).mean().backward()
    one.optimizer.zero_grad(set_to_none=False)
    one._gradients(images, labels, FIRST)
    squares = dict.fromkeys(dict(one.network.named_parameters()), 0.0)
    for name, parameter in one.network.named_parameters():
        expected = torch.zeros_like(parameter)
        for network in alone:
            part = dict(network.named_parameters()).get(name)
            if part is not None and part.grad is not None:
                expected[tuple(slice(n) for n in part.shape)] += part.grad
        squares[name] = float(expected.abs().max())
        assert torch.allclose(parameter.grad, expected, rtol=1e-4, atol=1e-6), name
    assert max(squares.values()) > 1e-3


def test_the_whole_network_keeps_statistics_of_its_own_alone():
    one, images = learner(samples=4), batch()[0]
    alone = copied_subnetwork(one.network, build_grid(WHOLE)).train()
    one._gradients(*batch(), FIRST)
    alone(images)
    for name, buffer in alone.named_buffers():
        assert torch.equal(buffer, one.network.get_buffer(name)), name


def test_what_is_drawn_follows_from_the_seed_and_the_step():
    one, other = learner(samples=3), learner(samples=3)
    steps = [TrainingStep(number, 10, 3) for number in (0, 9, 10, 29)]
    drawn = [one.drawn(step) for step in steps]
    assert drawn == [other.drawn(step) for step in reversed(steps)][::-1]
    assert len(set(drawn)) == 4
    assert all(step[0] == one.networks.smallest for step in drawn)


def test_without_the_smallest_all_are_drawn():
    assert len(learner(samples=3, smallest=False).drawn(FIRST)) == 3


def test_listed_topologies_alone_are_drawn():
    one = learner(WHOLE.but(topology="unet"), topologies=["conv-deconv", "unet"], samples=4)
    drawn = {each for number in range(20) for each in one.drawn(TrainingStep(number, 20, 1))}
    names = {one.networks.spec(each).topology.keep for each in drawn}
    assert len(names) == 2


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_the_whole_network_is_not_drawn_where_no_list_has_it(sampling):
    listed = ["conv-deconv", "resnet"]
    one = learner(topologies=listed, samples=2, smallest=False, sampling=sampling)
    drawn = {each for number in range(20) for each in one.drawn(TrainingStep(number, 20, 1))}
    assert len(drawn) == 2
    assert one.networks.largest not in drawn
    assert one.networks.number == 3


@pytest.mark.parametrize("recompute", ["unit", "column"])
def test_gradients_are_the_same_where_parts_are_computed_again(recompute):
    keeps, again = learner(samples=3), learner(samples=3, recompute=recompute)
    for one in (keeps, again):
        one.optimizer.zero_grad(set_to_none=False)
        one._gradients(*batch(), FIRST)
    for kept, computed in zip(keeps.network.parameters(), again.network.parameters(), strict=True):
        assert torch.allclose(kept.grad, computed.grad, rtol=1e-4, atol=1e-7)


class Noted(Watch):
    def __init__(self):
        self.lines = []

    def noted(self, line):
        self.lines.append(line)


def test_the_whole_network_is_as_wide_and_connected_as_any_of_them(tmp_path):
    supernet = {"base_channels": [2, 6], "topologies": ["unet", "resnet"]}
    recipe = TINY.but(supernet=supernet)
    noted = Noted()
    spec = WHOLE.but(base_channels=6, total_dropout=0.05)
    run = train(spec, "shapes", recipe.but(epochs=1), folder=tmp_path / "run", watch=noted)
    assert "total_dropout: 0.05 is left out; steps draw sub-networks" in noted.lines
    assert run.spec.base_channels == 6
    kept = {connection.name for connection in build_grid(run.spec)}
    assert kept == {connection.name for connection in build_grid(WHOLE.but(topology="unet"))}
    assert networks_of(build_grid(run.spec), run.recipe).number == 4


@pytest.mark.parametrize(
    ("spec", "supernet", "said"),
    [
        (
            WHOLE.but(topology="unet"),
            {},
            "supernet.topologies: every stands for those of the full grid, but the spec keeps unet",
        ),
        (
            WHOLE,
            {"topologies": ["unet", "u-net"]},
            "supernet.topologies.1: unknown topology 'u-net'",
        ),
    ],
)
def test_topologies_that_do_not_fit_the_spec_are_refused(spec, supernet, said):
    with pytest.raises((SpecError, TopologyError)) as caught:
        networks_of(build_grid(spec), recipe_of(**supernet))
    assert str(caught.value).startswith(said), str(caught.value)


def test_a_published_network_is_no_supernet():
    from gridgen import load_spec

    grid = build_grid(load_spec("unet-2015", base_channels=4))
    with pytest.raises(SpecError, match=r"supernet: unet-2015 is a network of its own; sub-net"):
        networks_of(grid, recipe_of())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"compile": True}, "compile: true compiles one network, but a supernet runs"),
        ({"freeze": ["stem"]}, "freeze: a supernet trains all of its parts; leave"),
    ],
)
def test_what_does_not_go_with_a_supernet_is_refused(fields, said):
    with pytest.raises(SpecError) as caught:
        PLAIN.but(supernet={}, **fields)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("step", [1, 4, 7])
def test_a_supernet_that_was_stopped_goes_on_bit_for_bit(tmp_path, step):
    spec = SPEC.but(base_channels=4)
    recipe = TINY.but(supernet={"base_channels": [2, 4], "sampling": "fair"}, ema=0.9)
    whole = train(spec, "shapes", recipe, folder=tmp_path / "whole")
    with pytest.raises(Interrupted):
        train(
            spec,
            "shapes",
            recipe,
            folder=tmp_path / "stopped",
            watch=StopAt(step, signal.SIGTERM),
        )
    assert step < STEPS
    assert bits(resume(tmp_path / "stopped")) == bits(whole)


def test_a_step_larger_than_the_machine_is_refused(tmp_path, monkeypatch):
    from gridgen.errors import TooLargeError
    from gridgen.training.loop import requirements as module

    recipe = TINY.but(supernet={"distillation": 1.0})
    setting = setting_of(recipe).but(device="cpu")
    grid = build_grid(SPEC)
    alone = training_memory(grid, (8, 8), setting)
    monkeypatch.setattr(module.devices, "memory_of", lambda device: alone)
    module.require_step_memory(grid, recipe.but(supernet=None), torch.device("cpu"))
    with pytest.raises(TooLargeError, match="A step of 250 crops of 8x8 needs"):
        train(grid, "shapes", recipe, folder=tmp_path / "run", device="cpu")
