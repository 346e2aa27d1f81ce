from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.grid import FeatureMap, build_grid
from gridgen.render import style
from gridgen.render.routes import route
from gridgen.render.style import point

ARROW = 0.7
ROUNDED = 0.05  # points: an arc is written with one decimal
STREAMS, COLUMNS = 9, 13
FULL = frozenset(FeatureMap(i, j) for i, j in product(range(STREAMS), range(COLUMNS)))
HALF = np.array([style.MAP_WIDTH / 2, style.MAP_HEIGHT / 2])


def places_of(spline: str) -> np.ndarray:
    """The tip of an arc, then the four points of its cubic, of which the last is the neck."""
    assert spline.startswith("e,")
    return np.array([place.split(",") for place in spline[2:].split()], dtype=float)


def arc(source, target, maps=FULL) -> np.ndarray | None:
    """Points along a route: its cubic, sampled, then the arrow's head to the tip."""
    spline = route(source, target, maps, ARROW)
    if spline is None:
        return None
    tip, *curve = places_of(spline)
    t = np.linspace(0, 1, 201)[:, None]
    shares = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
    cubic = sum(share * place for share, place in zip(shares, curve, strict=True))
    return np.concatenate([cubic, segment(curve[-1], tip)])


def straight(source, target) -> np.ndarray:
    return segment(*(np.array(point(x.column, x.stream)) for x in (source, target)))


def segment(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    return start + (end - start) * np.linspace(0, 1, 401)[:, None]


def depth(place: np.ndarray, feature_map: FeatureMap) -> np.ndarray:
    """How far inside a map's box a point lies, or each of several; negative outside of it."""
    centre = point(feature_map.column, feature_map.stream)
    return (HALF - np.abs(place - centre)).min(axis=-1)


def touched(places: np.ndarray, maps, ends) -> list[FeatureMap]:
    """The maps, not those at the ends, whose boxes the points pass through."""
    return sorted(x for x in maps if x not in ends and depth(places, x).max() > ROUNDED)


MAPS = st.sampled_from(sorted(FULL))


@settings(max_examples=50)
@given(MAPS, MAPS)
def test_nothing_is_in_the_way_where_there_are_no_other_maps(source, target):
    assert route(source, target, frozenset({source, target}), ARROW) is None


@pytest.mark.parametrize(
    "step", [(0, 1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (2, 1), (-1, 2), (3, 1)]
)
def test_to_a_near_map_of_a_full_grid_the_way_is_straight(step):
    source = FeatureMap(4, 6)
    assert route(source, FeatureMap(4 + step[0], 6 + step[1]), FULL, ARROW) is None


@settings(max_examples=100)
@given(MAPS, MAPS, st.sets(MAPS, max_size=40))
def test_an_arc_is_drawn_where_the_straight_line_meets_a_map(source, target, others):
    if source == target:
        return
    maps = frozenset({source, target, *others})
    line = straight(source, target)
    most = max((depth(line, x).max() for x in maps - {source, target}), default=-1)
    if abs(most) > 0.5:  # not a line that grazes a corner
        assert (route(source, target, maps, ARROW) is not None) == (most > 0)


def test_a_map_in_a_row_or_column_is_in_the_way_only_if_it_is_there():
    for source, between, target in (
        (FeatureMap(0, 0), FeatureMap(0, 1), FeatureMap(0, 2)),
        (FeatureMap(0, 0), FeatureMap(1, 0), FeatureMap(2, 0)),
        (FeatureMap(0, 0), FeatureMap(1, 1), FeatureMap(2, 2)),
    ):
        assert route(source, target, frozenset({source, target}), ARROW) is None
        assert route(source, target, frozenset({source, between, target}), ARROW) is not None


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("span", range(2, COLUMNS))
def test_an_arc_along_a_row_runs_between_its_boxes_and_those_of_the_row_above(span, back):
    ends = FeatureMap(4, 0), FeatureMap(4, span)
    source, target = ends[::-1] if back else ends
    places = arc(source, target)
    row, above = point(0, 4)[1] + HALF[1], point(0, 3)[1] - HALF[1]
    assert row - ROUNDED <= places[:, 1].min()
    assert places[:, 1].max() < above
    assert touched(places, FULL, ()) == []


def test_a_longer_arc_along_a_row_runs_above_a_shorter_one_while_there_is_room():
    ends = [FeatureMap(1, column) for column in range(5)]
    tops = [arc(ends[0], end)[:, 1].max() for end in ends[2:]]
    assert tops[0] < tops[1] < tops[2]


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("span", range(2, 6))
def test_an_arc_along_a_column_of_up_to_five_streams_passes_right_of_its_boxes(span, up):
    ends = FeatureMap(0, 3), FeatureMap(span, 3)
    source, target = ends[::-1] if up else ends
    places = arc(source, target)
    assert places[:, 0].min() >= point(3, 0)[0] + HALF[0] - ROUNDED
    assert touched(places, FULL, (source, target)) == []


@pytest.mark.parametrize("down", [1, -1])
@pytest.mark.parametrize("along", [1, -1])
@pytest.mark.parametrize("times", [2, 3])
def test_an_arc_across_one_or_two_maps_on_the_diagonal_passes_beside_them(times, along, down):
    source, target = FeatureMap(4, 6), FeatureMap(4 + down * times, 6 + along * times)
    assert touched(arc(source, target), FULL, (source, target)) == []


@settings(max_examples=100)
@given(MAPS, MAPS)
def test_an_arc_leaves_its_sources_box_and_its_tip_touches_its_targets(source, target):
    spline = route(source, target, FULL, ARROW)
    if spline is None:
        return
    tip, begin, _, _, neck = places_of(spline)
    assert abs(depth(begin, source)) <= ROUNDED
    assert abs(depth(tip, target)) <= ROUNDED
    assert np.linalg.norm(neck - tip) == pytest.approx(10 * ARROW, abs=2 * ROUNDED)
    assert depth(neck, target) < 0


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_arc_of_a_published_network_passes_through_a_map(name):
    grid = build_grid(load_spec(name))
    maps = frozenset(grid.maps)
    lines = {(c.source, c.target) for c in grid}
    lines |= {(c.auxiliary, c.target) for c in grid if c.auxiliary is not None}
    for ends in lines:
        places = arc(*ends, maps)
        if places is not None:
            assert touched(places, maps, ends) == []
