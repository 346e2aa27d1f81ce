"""Charts are scaled by what is on them."""

import math

from gridgen.pages.page import (
    HEIGHT,
    LEFT,
    MOST_POINTS,
    RIGHT,
    WIDTH,
    Axis,
    ChartCurve,
    chart,
    ticks,
)


def places(drawn) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split(","))) for pair in drawn["lines"][0]["points"].split()]


def test_a_chart_of_nothing_is_none():
    assert chart("loss", "step", []) is None
    assert chart("loss", "step", [ChartCurve("loss", "val", [(1, math.nan)])]) is None


def test_one_point_is_a_dot():
    drawn = chart("loss", "step", [ChartCurve("loss", "val", [(20, 0.5)])])
    assert len(drawn["lines"][0]["dots"]) == 1
    assert [tick["text"] for tick in drawn["y_ticks"]] == ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]


def test_values_far_from_zero_have_an_axis_of_their_own():
    near = chart("", "", [ChartCurve("", "", [(0, 0.1), (1, 1.0)])])
    far = chart("", "", [ChartCurve("", "", [(0, 27.0), (1, 29.0)])])
    assert near["y_ticks"][0]["text"] == "0"
    assert far["y_ticks"][0]["text"] == "27"


def test_a_few_values_that_tower_over_the_others_are_left_outside():
    points = [(0, 1e6), *((step, 1.0) for step in range(1, 100))]
    drawn = chart("", "", [ChartCurve("", "", points)], shown=0.98)
    assert places(drawn)[0][1] < 0
    assert places(drawn)[-1][1] >= 0


def test_long_lines_are_averaged_and_reach_from_end_to_end():
    points = [(step, 1.0) for step in range(100_000)]
    drawn = places(chart("", "", [ChartCurve("", "", points)]))
    assert MOST_POINTS / 2 < len(drawn) <= MOST_POINTS
    assert abs(drawn[0][0] - LEFT) < 2
    assert abs(drawn[-1][0] - (WIDTH - RIGHT)) < 2


def test_places_lie_inside_the_picture():
    drawn = chart("", "", [ChartCurve("", "", [(0, -5), (10, 5)])])
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places(drawn))


def test_epochs_and_steps_are_whole():
    assert [mark["text"] for mark in Axis(0, 3, 0, 1).marks(whole=True)] == ["0", "1", "2", "3"]


def test_a_range_of_one_value_has_one_tick():
    assert ticks(0.004, 0.004) == [0.004]
