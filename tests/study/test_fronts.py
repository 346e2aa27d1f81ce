"""Fronts by several objectives: what is on them, in which order, and the volume below."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, strategies as st
from optuna._hypervolume import compute_hypervolume

from gridgen.study.fronts import (
    as_good,
    front_of,
    hypervolume,
    pareto_front,
    pareto_order,
    places_by_volume,
    ranks_of_points,
    scaled,
)

POINTS = st.integers(1, 3).flatmap(
    lambda many: st.lists(st.tuples(*[st.integers(0, 6)] * many), min_size=1, max_size=12)
)


@given(POINTS)
def test_on_the_front_is_what_no_other_point_beats(points):
    front = front_of(points)
    for place, point in enumerate(points):
        beaten = any(as_good(other, point) and other != point for other in points)
        twin = point in points[:place]
        assert (place in front) == (not beaten and not twin)


@given(POINTS)
def test_each_rank_is_the_front_of_those_that_are_left(points):
    ranks = ranks_of_points(points)
    for rank in range(max(ranks) + 1):
        left = [point for point, own in zip(points, ranks, strict=True) if own >= rank]
        own = {point for point, each in zip(points, ranks, strict=True) if each == rank}
        assert own == {left[place] for place in front_of(left)}


@given(POINTS)
def test_the_order_has_each_place_once_and_ranks_rise(points):
    order = pareto_order(points)
    assert sorted(order) == list(range(len(points)))
    ranks = ranks_of_points(points)[order]
    assert (np.diff(ranks) >= 0).all()


def test_of_one_rank_the_ends_come_first_and_then_what_stands_alone():
    points = [(0, 10), (1, 9), (1.1, 8.9), (6, 5), (10, 0)]
    order = pareto_order(points)
    assert {*order[:2]} == {0, 4}
    assert order[2] == 3


@given(POINTS, st.integers(0, 8))
def test_the_first_places_by_volume_are_of_the_front_and_the_best_first(points, many):
    places = places_by_volume(points, many)
    assert len(places) == len({*places}) == min(many, len(points))
    ranks = ranks_of_points(points)[places]
    assert (np.diff(ranks) >= 0).all()
    if places:
        assert points[places[0]][0] == max(point[0] for point in points)


def test_ends_of_a_front_that_add_little_come_late():
    points = [(10, 0), (9, 8), (8.9, 8.1), (0, 10), (5, 9)]
    assert places_by_volume(points, 5) == [0, 2, 4, 1, 3]


def test_objectives_in_which_all_are_equal_decide_nothing():
    assert scaled([(1, 7), (3, 7), (2, 7)]).tolist() == [[0, 1], [1, 1], [0.5, 1]]
    assert places_by_volume([(1, 7), (3, 7), (2, 7)], 3) == [1, 2, 0]


@given(POINTS)
def test_with_two_objectives_the_sweep_and_the_comparison_of_all_agree(points):
    pairs = [(point[0], point[-1]) for point in points]
    swept = pareto_front([-cost for _, cost in pairs], [score for score, _ in pairs])
    assert {pairs[place] for place in swept} == {pairs[place] for place in front_of(pairs)}


@given(POINTS)
def test_the_volume_is_that_of_the_unit_cubes_below_the_points(points):
    cubes = product(range(6), repeat=len(points[0]))
    below = sum(
        any(all(c < p for c, p in zip(cube, each, strict=True)) for each in points)
        for cube in cubes
    )
    assert hypervolume(points, [0] * len(points[0])) == pytest.approx(below)


def test_the_volume_is_that_of_optuna_with_four_objectives():
    points = np.random.default_rng(0).random((25, 4))
    theirs = compute_hypervolume(-points, np.zeros(4))
    assert hypervolume(points.tolist(), [0.0] * 4) == pytest.approx(theirs)


def test_what_is_no_better_than_the_reference_adds_nothing():
    assert hypervolume([(2.0, 0.0), (-1.0, 5.0)], (0.0, 0.0)) == 0.0
    assert hypervolume([], (0.0, 0.0)) == 0.0


def test_without_points_there_is_no_front():
    assert front_of([]) == pareto_order([]) == places_by_volume([], 3) == []
