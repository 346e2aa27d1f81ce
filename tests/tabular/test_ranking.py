"""Agreement of orders, effects of connections, fronts."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from gridgen.tabular.ranking import (
    agreement,
    effects,
    kendall,
    near,
    spread,
)
from gridgen.tabular.standings import level_with_the_best
from tests.tabular.made import made_up


@pytest.mark.parametrize("seed", range(5))
def test_kendalls_tau_is_that_of_scipy_with_ties_too(seed):
    random = np.random.default_rng(seed)
    one, other = random.integers(0, 9, 40), random.normal(size=40).round(1)
    assert kendall(one, other) == pytest.approx(kendalltau(one, other).statistic)


def test_some_pairs_alone_can_be_counted():
    one, other = np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])
    pairs = near(np.array([100.0, 150.0, 160.0]))
    assert kendall(one, other, pairs) == -1
    assert kendall(one, other, near(np.array([1.0, 10.0, 100.0]))) == 0


def test_the_interval_holds_the_value_and_narrows_with_more_topologies():
    random = np.random.default_rng(0)
    one = random.normal(size=200)
    other = one + random.normal(size=200)
    many, few = agreement(one, other), agreement(one[:20], other[:20])
    assert many.low < many.value < many.high
    assert many.high - many.low < few.high - few.low


def test_the_spread_of_topologies_is_told_from_that_of_seeds():
    random = np.random.default_rng(0)
    scores = random.normal(0, 0.04, (4000, 1)) + random.normal(0, 0.01, (4000, 2))
    found = spread(scores + np.array([0.0, 0.03]))
    assert found.shift == pytest.approx(0.03, rel=0.05)
    assert found.seeds == pytest.approx(0.01, rel=0.05)
    assert found.topologies == pytest.approx((0.04**2 + 0.01**2 / 2) ** 0.5, rel=0.05)
    assert found.best > found.worst
    # Of two seeds each: 1.96 standard deviations, times the root of 2 / 2.
    assert found.told_apart == pytest.approx(1.96 * found.seeds, rel=0.01)


def test_the_best_of_many_equal_topologies_is_not_shown_to_be_better():
    random = np.random.default_rng(0)
    scores = random.normal(0.5, 0.01, (279, 2))
    means = scores.mean(axis=1)
    pairwise = (means > means.max() - spread(scores).told_apart).sum()
    assert pairwise < 200 < 270 < level_with_the_best(scores)
    scores[0] += 0.1
    assert level_with_the_best(scores) == 1


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
