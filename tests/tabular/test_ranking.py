"""Agreement of orders, and how far scores lie apart."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from gridgen.tabular.ranking import (
    agreement,
    kendall,
    near,
    perfect_regret,
    spread,
)
from gridgen.tabular.standings import level_with_the_best


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


def test_the_interval_holds_the_value_of_all_that_might_be_drawn():
    random, held = np.random.default_rng(0), []
    for _ in range(100):
        one = random.normal(size=60)
        found = agreement(one, one + random.normal(size=60))
        held.append(found.low <= 0.5 <= found.high)  # tau of a correlation of 0.71
    assert np.mean(held) == pytest.approx(0.95, abs=0.05)


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


def test_the_topologies_that_may_be_the_best_hold_the_best():
    random, missed = np.random.default_rng(0), 0
    quality = random.normal(0.5, 0.02, 100)
    for _ in range(400):
        scores = quality[:, None] + random.normal(0, 0.01, (100, 2))
        missed += scores[quality.argmax()].mean() <= spread(scores).best_at_least
    assert missed <= 0.05 * 400


@pytest.mark.parametrize("seeds", [1, 2])
@pytest.mark.parametrize("top", [1, 5])
def test_whoever_knows_the_best_has_the_regret_that_tables_show(top, seeds):
    random = np.random.default_rng(0)
    quality = np.sort(random.normal(0.5, 0.02, (150, 200)))
    tables = quality[:, :, None] + random.normal(0, 0.015, (150, 200, 2))
    judged = tables[:, :, :seeds].mean(axis=2)
    expected = (judged.max(axis=1) - judged[:, -top:].mean(axis=1)).mean()
    found = np.mean([perfect_regret(table, top, seeds) for table in tables])
    assert found == pytest.approx(expected, rel=0.1)


def test_where_nothing_tells_topologies_apart_whoever_knows_the_best_has_no_regret():
    assert perfect_regret(np.full((10, 2), 0.1), 5) == pytest.approx(0)


def test_where_seeds_change_nothing_whoever_knows_the_best_has_no_regret():
    assert perfect_regret(np.linspace(0, 1, 50)[:, None] + np.array([0.0, 0.1])) == 0
