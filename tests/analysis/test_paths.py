"""Paths, against all paths of small grids listed one by one."""

from collections import Counter
from itertools import product
from math import comb, log10

import pytest
from hypothesis import given, settings, strategies as st
from strategies import paper_specs, specs, topologies_for

from gridgen.analysis import count_paths
from gridgen.analysis.paths import longest_path, paths, shortest_path, unit_steps
from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.grid import Grid, build_grid, prune
from gridgen.spec import GridSpec
from gridgen.text import number_text, share_text
from tests.oracles.walking import Path, list_paths, maps_of

FEW = ["fcn-8s", "deconvnet", "unet-2015", "refinenet", "stacked-hourglass", "pspnet", "unet++"]
FEW += ["fpn", "panet", "bifpn", "dilated", "preact-resnet", "neural-fabric"]


def require_listed(grid: Grid) -> None:
    """What `paths` says of a grid is what its paths, listed, say."""
    listed, found = list_paths(grid), paths(grid)
    assert found.total == len(listed)
    assert found.lengths == Counter(map(len, listed))
    ways = Counter(sum(way) for path in listed for way in product(*map(unit_steps, path)))
    assert found.ways == ways
    through = Counter(connection.name for path in listed for connection in path)
    assert found.through == {connection.name: through[connection.name] for connection in grid}
    assert found.at == Counter(place for path in listed for place in maps_of(grid, path))
    laterals = [c for path in listed for c in path if c.kind == "lateral" and c.unit]
    assert found.laterals == pytest.approx(len(laterals) / len(listed))
    for depth in found.depths:
        require_depth(grid, listed, depth)
    assert len(shortest_path(grid)) == min(map(len, listed))
    assert len(longest_path(grid)) == max(map(len, listed))
    assert shortest_path(grid) in listed
    assert longest_path(grid) in listed


def require_depth(grid: Grid, listed: list[Path], depth) -> None:
    streams = [{place.stream for place in maps_of(grid, path)} for path in listed]
    assert depth.visiting == sum(depth.stream in visited for visited in streams)
    lowest = [
        path for path, visited in zip(listed, streams, strict=True) if max(visited) == depth.stream
    ]
    assert depth.paths == len(lowest)
    assert depth.shortest == min(map(len, lowest), default=None)
    assert depth.longest == max(map(len, lowest), default=None)
    least = [sum(min(unit_steps(connection)) for connection in path) for path in lowest]
    assert depth.least_units == min(least, default=None)


@settings(max_examples=200)
@given(paper_specs())
def test_paths_of_the_full_grid_follow_the_formula(spec):
    s, u = spec.columns.count("sub"), spec.columns.count("up")
    expected = [comb(d + s - 1, d) * comb(d + u - 1, d) for d in range(spec.streams)]
    found = paths(build_grid(spec))
    assert found.total == count_paths(build_grid(spec)) == sum(expected)
    assert [depth.paths for depth in found.depths] == expected
    assert found.lengths == {s + u - 1 + 2 * d: number for d, number in enumerate(expected)}


@settings(max_examples=60)
@given(specs(max_streams=3), st.data())
def test_all_is_as_the_listed_paths_say(spec, data):
    grid = prune(build_grid(spec), data.draw(st.sampled_from(topologies_for(spec))))
    if count_paths(grid) < 500:
        require_listed(grid)


@pytest.mark.parametrize("name", FEW)
def test_published_networks_are_as_their_listed_paths_say(name):
    grid = build_grid(load_spec(name))
    assert count_paths(grid) < 8000
    require_listed(grid)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_paths_divide_and_meet_again_in_every_published_network(name):
    grid = build_grid(load_spec(name))
    found = paths(grid)
    assert sum(found.lengths.values()) == sum(depth.paths for depth in found.depths) == found.total
    for place in grid.maps:
        into = sum(found.through[connection.name] for connection in grid.into(place))
        assert into == (0 if place == grid.input else found.at[place])
    assert found.at[grid.input] == found.at[grid.output] == found.total


@pytest.mark.parametrize(("columns", "number"), [("3+3", 371), ("4+4", 1742), ("1+1", 5)])
def test_paths_at_five_streams(columns, number, paper_spec):
    grid = build_grid(paper_spec.but(columns=columns))
    assert count_paths(grid) == paths(grid).total == number


def test_seventeen_paths_of_the_frrn_skeleton(paper_spec):
    assert paths(build_grid(paper_spec.but(columns="4+4", topology="frrn"))).total == 17


def test_figure_4_of_the_paper(paper_grid):
    """The blue path along stream 0, and the orange one that is longer."""
    found = paths(paper_grid)
    assert [c.name for c in shortest_path(paper_grid)] == [f"lateral_0_{j}" for j in range(1, 6)]
    assert [c.name for c in longest_path(paper_grid)] == [
        *(f"sub_{i}_0" for i in (1, 2, 3, 4)),
        *(f"lateral_4_{j}" for j in range(1, 6)),
        *(f"up_{i}_5" for i in (3, 2, 1, 0)),
    ]
    assert [(d.shortest, d.longest, d.least_units) for d in found.depths] == [
        (5 + 2 * i, 5 + 2 * i, 2 * i) for i in range(5)
    ]


def test_each_residual_lateral_doubles_the_ways(paper_spec):
    found = paths(build_grid(paper_spec))
    assert sum(found.ways.values()) == 371 * 2**5
    assert (min(found.ways), max(found.ways)) == (0, 13)
    plain = paths(build_grid(paper_spec.but(residual={"lateral": False})))
    assert plain.ways == plain.lengths


@pytest.mark.parametrize(
    ("columns", "digits"), [("100+100", 36), (["sub", "up"] * 100, 203)], ids=["100+100", "in turn"]
)
def test_astronomically_many_paths_are_counted_in_full(columns, digits):
    grid = build_grid(GridSpec(streams=16, columns=columns, base_channels=1, classes=2))
    found = paths(grid)
    assert int(log10(found.total)) == digits
    assert sum(found.lengths.values()) == found.total
    assert sum(found.ways.values()) == found.total * 2**199


def test_json_has_plain_names_and_whole_numbers():
    grid = build_grid(GridSpec(streams=2, columns="1+1", base_channels=4, classes=2))
    assert paths(grid).as_json() == {
        "paths": 2,
        "ways": 4,
        "laterals": 1.0,
        "lengths": {"1": 1, "3": 1},
        "units_passed": {"0": 1, "1": 1, "2": 1, "3": 1},
        "maps": {"map_0_0": 2, "map_1_0": 1, "map_1_1": 1, "map_0_1": 2},
        "connections": {"sub_1_0": 1, "lateral_1_1": 1, "lateral_0_1": 1, "up_0_1": 1},
        "streams": [
            {
                "stream": 0,
                "visiting": 2,
                "paths": 1,
                "shortest": 1,
                "longest": 1,
                "least_units": 0,
            },
            {
                "stream": 1,
                "visiting": 1,
                "paths": 1,
                "shortest": 3,
                "longest": 3,
                "least_units": 2,
            },
        ],
    }


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999_999_999_999_999, "999,999,999,999,999"),
        (10**15, "1.0e15"),
        (123 * 10**998, "1.2e1000"),
    ],
)
def test_numbers_of_any_size_are_short(number, text):
    assert number_text(number) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (1e-9, "<1%"), (0.0049, "<1%"), (0.006, "1%"), (0.994, "99%"), (1, "100%")],
)
def test_a_share_that_is_there_is_not_called_none(share, text):
    assert share_text(share) == text
