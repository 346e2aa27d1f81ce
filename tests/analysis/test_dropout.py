"""Total dropout, against every combination of dropped units of small grids."""

from itertools import product

import pytest
from hypothesis import assume, given, settings, strategies as st
from strategies import specs, topologies_for

from gridgen.analysis import count_paths
from gridgen.analysis.dropout import Dropout, dropout, has_dropout
from gridgen.grid import Grid, build_grid, prune
from gridgen.spec import GridSpec
from tests.oracles.walking import list_paths, maps_of


def tried(grid: Grid) -> Dropout:
    """The same from every set of dropped units and every path."""
    units = [connection for connection in grid if connection.dropout]
    streams = {place.stream for place in grid.maps}
    listed = [
        ({c.name for c in path if c.dropout}, max(place.stream for place in maps_of(grid, path)))
        for path in list_paths(grid)
    ]
    whole, some, depths = 0.0, 0.0, dict.fromkeys(sorted(streams), 0.0)
    for kept in product((True, False), repeat=len(units)):
        chance, dropped = 1.0, set()
        for unit, stays in zip(units, kept, strict=True):
            chance *= 1 - unit.dropout if stays else unit.dropout
            dropped |= set() if stays else {unit.name}
        left = [lowest for names, lowest in listed if not names & dropped]
        whole += chance * len(left) / len(listed)
        some += chance * bool(left)
        for stream in set(left):
            depths[stream] += chance
    return Dropout(whole, some, depths)


@settings(max_examples=60)
@given(specs(max_streams=3), st.data())
def test_chances_are_those_of_all_combinations(spec, data):
    spec = spec.but(total_dropout=data.draw(st.sampled_from([0.1, 0.5, 0.9])))
    grid = prune(build_grid(spec), data.draw(st.sampled_from(topologies_for(spec))))
    assume(sum(connection.dropout > 0 for connection in grid) <= 10)
    assume(count_paths(grid) <= 60)
    found, expected = dropout(grid), tried(grid)
    assert found.whole == pytest.approx(expected.whole)
    assert found.some == pytest.approx(expected.some)
    assert found.depths == pytest.approx(expected.depths)


def test_every_path_of_the_papers_network_suffers_alike_but_lower_ones_are_more(paper_spec):
    left = dropout(build_grid(paper_spec.but(total_dropout=0.1)))
    assert left.whole == pytest.approx(0.9**5)
    assert left.depths[0] == pytest.approx(0.9**5)
    assert list(left.depths.values()) == sorted(left.depths.values())
    assert 0.89 < left.depths[4] < 0.9  # all of them pass lateral_4_3
    assert left.others(0) == pytest.approx((left.some - 0.9**5) / (1 - 0.9**5))


def test_with_a_single_path_there_is_no_other(paper_spec):
    grid = build_grid(paper_spec.but(total_dropout=0.1, topology="resnet"))
    left = dropout(grid)
    assert left.some == left.depths[0] == pytest.approx(0.9**5)
    assert left.others(0) == pytest.approx(0)


def test_without_total_dropout_every_path_is_whole(paper_grid):
    assert not has_dropout(paper_grid)
    left = dropout(paper_grid)
    assert (left.whole, left.some, left.depths[0], left.depths[4]) == (1, 1, 1, 1)
    assert left.others(0) is None


def test_what_would_take_too_long_is_left_out():
    spec = GridSpec(streams=12, columns="40+40", base_channels=1, classes=2, total_dropout=0.1)
    left = dropout(build_grid(spec))
    assert left.whole == pytest.approx(0.9**79)
    assert left.depths[0] == pytest.approx(0.9**79)
    assert (left.depths[11], left.others(11)) == (None, None)
