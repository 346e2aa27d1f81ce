"""Losses fetched late add up as if they were fetched at once; the share of time spent waiting."""

import time

import pytest
import torch

from gridgen.errors import TrainingError
from gridgen.training.run.steplog import Losses, Stopwatch

VALUES = torch.rand(23, generator=torch.Generator().manual_seed(0))


def added(every: int) -> Losses:
    losses = Losses()
    for step, loss in enumerate(VALUES, 1):
        losses.add(loss)
        if step % every == 0:
            losses.fetch(step)
    losses.fetch(len(VALUES))
    return losses


@pytest.mark.parametrize("every", [1, 5, 7, 100])
def test_when_losses_are_fetched_changes_no_bit(every):
    at_once, late = added(1), added(every)
    assert late.recent == at_once.recent == VALUES.tolist()
    assert late.mean() == at_once.mean()


def test_a_mean_begins_anew():
    losses = added(5)
    assert losses.mean() == sum(VALUES.tolist()) / 23
    assert losses.mean_of_recent() == sum(VALUES.tolist()) / 23
    losses.add(torch.tensor(2.0))
    losses.fetch(24)
    assert (losses.mean(), losses.mean_of_recent()) == (2.0, 2.0)


def test_nothing_to_add_up_is_zero():
    losses = Losses()
    losses.fetch(0)
    assert (losses.mean(), losses.mean_of_recent()) == (0.0, 0.0)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_loss_that_is_no_number_is_told_with_its_step(value):
    losses = Losses()
    for loss in (1.0, float(value), 1.0):
        losses.add(torch.tensor(loss))
    with pytest.raises(TrainingError) as caught:
        losses.fetch(13)
    assert str(caught.value) == (
        f"The loss is {value} at step 12. Lower learning_rate in the recipe."
    )


def test_the_pace_knows_what_was_spent_waiting():
    def slow():
        for number in range(3):
            time.sleep(0.02)
            yield number

    stopwatch = Stopwatch()
    assert list(stopwatch.timed(slow())) == [0, 1, 2]
    pace = stopwatch.pace(batch=4)
    assert 0.5 < pace.waiting <= 1
    assert 0 < pace.images_per_second <= 12 / 0.06
    stopwatch.restart()
    assert stopwatch.pace(4) == (0.0, 0.0)
