"""A learner's step follows from the seed and its number; what is no number is found."""

import pytest
import torch

from gridgen.errors import TrainingError
from gridgen.grid import build_grid
from gridgen.training.loop.learner import Learner
from gridgen.training.recipe import TrainingStep
from tests.oracles.killing import RECIPE, SPEC, task


def learner(recipe=RECIPE) -> Learner:
    return Learner(build_grid(SPEC), task(), recipe, 0, torch.device("cpu"))


def step(learner: Learner, number: int) -> float:
    batch = torch.ones(4, 3, 8, 8), torch.ones(4, 8, 8, dtype=torch.int64)
    return learner.step(*batch, TrainingStep(number, 10, 1)).loss.item()


def test_what_was_drawn_before_a_step_changes_nothing():
    one, other = learner(), learner()
    torch.rand(7)
    assert step(one, 3) == step(other, 3)
    assert step(one, 4) == step(other, 4)


def test_the_average_is_scored_where_there_is_one():
    averaged, plain = learner(), learner(RECIPE.but(ema=None))
    assert averaged.scored is averaged.ema.network
    assert plain.scored is plain.network


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_moment_that_is_no_number_is_found_before_it_is_saved(value):
    one = learner(RECIPE.but(optimizer="adam"))
    step(one, 0)
    one.require_finite(1)
    next(iter(one.optimizer.state.values()))["exp_avg_sq"].view(-1)[0] = value
    with pytest.raises(TrainingError) as caught:
        one.require_finite(1)
    assert str(caught.value) == (
        "A moment of the optimizer is not a number after step 1. Lower learning_rate in the recipe."
    )


def test_a_gradient_that_is_infinite_is_found_after_clipping():
    one = learner(RECIPE.but(clip_norm=1.0))
    parameter = next(one.network.parameters())
    parameter.register_hook(lambda gradient: torch.full_like(gradient, float("inf")))
    step(one, 0)
    with pytest.raises(TrainingError) as caught:
        one.require_finite(1)
    assert str(caught.value) == (
        "A weight is not a number after step 1. Lower learning_rate in the recipe."
    )


def test_a_step_in_which_all_that_is_trained_is_dropped_changes_nothing():
    spec = SPEC.but(total_dropout=0.999)
    frozen = ("stem", "head", "sub_*", "up_*")
    recipe = RECIPE.but(freeze=frozen, optimizer={"name": "sgd", "weight_decay": 0.0})
    one = Learner(build_grid(spec), task(), recipe, 0, torch.device("cpu"))
    before = {name: each.clone() for name, each in one.network.named_parameters()}
    assert step(one, 0) > 0
    assert all(torch.equal(each, before[name]) for name, each in one.network.named_parameters())
