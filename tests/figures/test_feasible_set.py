"""What falls on one spot of a picture."""

import numpy as np
from hypothesis import given, strategies as st

from gridgen.figures.feasible_set import Plane, Points, in_turn

GRID = (6, 4)
GROUPS = st.lists(st.sets(st.integers(0, GRID[0] * GRID[1] - 1)), min_size=1, max_size=5)


@given(GROUPS)
def test_each_spot_is_shown_by_one_group_that_has_it(groups):
    spots = [np.array(sorted(group), dtype=int) for group in groups]
    shown = in_turn(spots, GRID)
    seen = np.concatenate([group[mask] for group, mask in zip(spots, shown, strict=True)])
    assert sorted(seen.tolist()) == sorted(set().union(*groups))


def test_groups_that_meet_everywhere_are_all_seen():
    every = np.arange(GRID[0] * GRID[1])
    assert [mask.sum() for mask in in_turn([every] * 3, GRID)] == [8, 8, 8]


def test_points_are_by_their_logarithm_and_each_spot_has_one():
    points = Points(np.array([1, 10, 100, 1000, 1000]), np.array([7, 7, 7, 7, 7]))
    plane = Plane(points)
    assert plane.spots(points, (3, 2)).tolist() == [0, 2, 4, 4, 4]
    first, spots, many = plane.first(points, (3, 2))
    assert (first.x.tolist(), spots.tolist(), many.tolist()) == ([1, 10, 100], [0, 2, 4], [1, 1, 3])
