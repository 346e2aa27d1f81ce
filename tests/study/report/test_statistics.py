"""Few seeds: quantiles against the published table, and what may be claimed of differences."""

from random import Random

import pytest

from gridgen.study.report.statistics import (
    SeedScores,
    differences,
    mean_interval,
)
from gridgen.study.report.student import critical, two_sided

# Abramowitz and Stegun, table 26.10: two-sided quantiles at 95 % and 99 %.
TABLE = {
    1: (12.706, 63.657),
    2: (4.303, 9.925),
    3: (3.182, 5.841),
    4: (2.776, 4.604),
    5: (2.571, 4.032),
    8: (2.306, 3.355),
    10: (2.228, 3.169),
    30: (2.042, 2.750),
    120: (1.980, 2.617),
}
LOW, HIGH = SeedScores("unet", (0.390, 0.400, 0.404)), SeedScores("frrn", (0.490, 0.500, 0.504))


@pytest.mark.parametrize("freedom", TABLE)
def test_quantiles_are_those_of_the_published_table(freedom):
    found = critical(0.95, freedom), critical(0.99, freedom)
    assert found == pytest.approx(TABLE[freedom], abs=6e-4)


@pytest.mark.parametrize("freedom", [1.0, 2.37, 4.0, 17.9, 1e4])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.9999])
def test_a_quantile_and_its_chance_belong_together(level, freedom):
    assert two_sided(critical(level, freedom), freedom) == pytest.approx(1 - level)


def test_welch_agrees_with_a_worked_example():
    # Welch's formula by hand: (0.9 - 0.6) / sqrt(0.01 / 3 + 0.0025 / 3), freedom 2.94.
    one, other = SeedScores("a", (0.8, 0.9, 1.0)), SeedScores("b", (0.55, 0.6, 0.65))
    (pair,) = differences([one], [other])
    half = critical(0.95, (1.25 / 300) ** 2 / ((1 / 300) ** 2 / 2 + (0.25 / 300) ** 2 / 2))
    assert pair.interval == pytest.approx((0.3 - half * 0.0645497, 0.3 + half * 0.0645497))


@pytest.mark.parametrize("seed", range(20))
def test_intervals_and_claims_are_those_of_scipy(seed):
    stats = pytest.importorskip("scipy.stats")
    draw = Random(seed)
    one, *others = (
        SeedScores(str(n), tuple(draw.gauss(n, 1) for _ in range(draw.randint(2, 6))))
        for n in range(4)
    )
    (alone,) = differences(others[:1], [one])
    known = stats.ttest_ind(others[0].scores, one.scores, equal_var=False)
    assert alone.interval == pytest.approx(tuple(known.confidence_interval(0.95)))
    pairs = differences(others, [one])
    chances = [
        stats.ttest_ind(each.candidate.scores, one.scores, equal_var=False).pvalue for each in pairs
    ]
    held = [chance * (len(pairs) - n) for n, chance in enumerate(sorted(chances))]
    claimed = next((n for n, chance in enumerate(held) if chance > 0.05), len(held))
    assert [each.distinguishable for each in pairs] == [
        chance in sorted(chances)[:claimed] for chance in chances
    ]


def test_a_difference_is_told_with_its_interval_and_seeds():
    (pair,) = differences([HIGH], [LOW])
    assert pair.sentence(3) == (
        "frrn has 0.498 ± 0.007, unet has 0.398 ± 0.007: "
        "difference 0.100 (0.084 to 0.116), distinguishable with 3 seeds"
    )
    near = SeedScores("near", (0.39, 0.41, 0.402))
    (pair,) = differences([near], [LOW])
    assert not pair.distinguishable
    assert "(−0.0" in pair.sentence(3)
    assert pair.sentence(3).endswith("not distinguishable with 3 seeds")


def test_numbers_of_seeds_that_differ_are_both_told():
    (pair,) = differences([HIGH], [SeedScores("unet", (0.4, 0.41))])
    assert pair.sentence(3).endswith("with 3 and 2 seeds")


@pytest.mark.parametrize(
    ("scores", "why"),
    [((0.4,), "one seed gives no interval"), ((0.4, 0.4), "no seed changed a score")],
)
def test_without_a_spread_nothing_is_claimed(scores, why):
    (pair,) = differences([SeedScores("a", scores)], [SeedScores("b", scores)])
    assert pair.interval is None
    assert not pair.distinguishable
    assert pair.sentence(3).endswith(f"no difference is claimed: {why}")


def test_holm_holds_the_surest_pair_to_the_strictest_level():
    alone = differences([HIGH], [LOW])[0].interval
    beside = [SeedScores(f"near {n}", (0.39, 0.41, 0.402)) for n in range(3)]
    among = differences([HIGH, *beside], [LOW])
    assert among[0].interval[0] < alone[0] < alone[1] < among[0].interval[1]
    assert [each.distinguishable for each in among] == [True, False, False, False]


def test_after_one_that_fails_nothing_more_is_claimed():
    # Each of the two alone would be claimed at 5 %; together the surer one misses 2.5 %.
    twins = [SeedScores(name, (0.404, 0.412, 0.417)) for name in "ab"]
    assert differences(twins[:1], [LOW])[0].mean == pytest.approx(0.013)
    chance = two_sided(0.013 / 0.00563, 3.97)
    assert chance > 0.025
    assert not any(each.distinguishable for each in differences(twins, [LOW]))


def test_where_there_is_no_difference_hardly_any_is_claimed():
    draw, claims = Random(0), 0
    for _ in range(200):
        scores = [tuple(draw.gauss(0.5, spread) for _ in range(3)) for spread in (1, 1, 2, 3)]
        groups = [SeedScores(str(number), each) for number, each in enumerate(scores)]
        claims += any(each.distinguishable for each in differences(groups[1:], groups[:1]))
    # 5 % of 200 studies, and three standard deviations of such a count.
    assert claims <= 10 + 9


def test_a_difference_of_six_spreads_is_seen_with_three_seeds():
    draw, claims = Random(0), 0
    for _ in range(200):
        one, other = (SeedScores("", tuple(draw.gauss(at, 1) for _ in range(3))) for at in (6, 0))
        claims += differences([one], [other])[0].distinguishable
    assert claims >= 190


def test_a_mean_of_equal_values_has_no_width():
    found = mean_interval([0.5, 0.5, 0.5])
    assert (found.low, found.high) == (0.5, 0.5)
