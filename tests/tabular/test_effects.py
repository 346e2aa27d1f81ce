"""Effects of connections."""

import numpy as np
import pytest

from gridgen.tabular.effects import _mean, between_seeds, effects
from tests.tabular.made import made_up


def test_the_effect_of_a_connection_is_what_the_scores_were_made_of():
    found = {each.connection: each for each in effects(made_up(noise=0.0))}
    assert len(found) == 17
    # Of what hangs on nothing else, its own hundredth is lost, and 0.05 more where that was added.
    assert found["lateral_0_2"].alone.value == pytest.approx(0.01)
    assert found["up_1_2"].alone.value == pytest.approx(0.06)
    assert found["sub_2_0"].alone is None
    assert found["sub_2_0"].dropped >= 2
    assert found["up_1_2"].cut.value > found["lateral_0_2"].cut.value
    assert found["lateral_0_2"].cut.value >= 0.01 * found["lateral_0_2"].dropped - 1e-9


def drawn(random, between):
    """Gains of 0.01 of 17 connections with 30 groups each, as two seeds would show them."""
    means = 0.01 + random.normal(0, between, (17, 1, 2)) + random.normal(0, 0.004, (17, 30, 1))
    return [*(means + random.normal(0, 0.006, (17, 30, 2)))]


@pytest.mark.parametrize("between", [0.0, 0.004])
def test_intervals_hold_the_gain_of_other_seeds_too(between):
    random, held, narrow = np.random.default_rng(0), [], []
    for _ in range(60):
        gains = drawn(random, between)
        known = between_seeds(gains)
        held += [(each := _mean(one, known)).low <= 0.01 <= each.high for one in gains]
        narrow += [(each := _mean(one, 0.0)).low <= 0.01 <= each.high for one in gains]
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)
    # Without what lies between seeds, the intervals are far too narrow.
    assert np.mean(narrow) < 0.7 or not between


def test_the_variance_between_seeds_is_told_from_the_luck_of_trainings():
    random = np.random.default_rng(0)
    found = [between_seeds(drawn(random, 0.004)) for _ in range(300)]
    assert np.mean(found) == pytest.approx(0.004**2, rel=0.15)
    assert between_seeds([]) == 0.0
